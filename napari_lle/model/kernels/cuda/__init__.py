"""The fused kernels that Triton compiles, and CUDA graphs where it is absent."""
