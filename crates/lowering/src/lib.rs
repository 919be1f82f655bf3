//! Fusion and buffer planning of probpipe: graphs to programs.
