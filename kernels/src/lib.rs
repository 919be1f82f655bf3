//! SIMD tile kernels and WGSL templates of probpipe.
