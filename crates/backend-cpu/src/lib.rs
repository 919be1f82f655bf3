//! Cranelift backend of probpipe.
