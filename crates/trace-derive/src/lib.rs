//! The Tree derive macro of probpipe.
