//! WebGPU backend of probpipe.
