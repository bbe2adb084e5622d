"""Compiled training: the block, its gradient and the losses, each held equal to autograd."""
