//! Arrays, typed graphs, tracing and the reference interpreter of probpipe.
