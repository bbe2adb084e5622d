"""The fused kernels that numba compiles."""
