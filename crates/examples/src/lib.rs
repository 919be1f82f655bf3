//! Programs that show probpipe at work, in `examples/`: `jax_interop` is the tour, `laplace` a
//! posterior by Laplace's approximation, `variational` a fit by draws from scratch,
//! `differentiable_programming` generative functions, `particle_filter` hidden states as they are
//! observed, `custom_gradient` a derivative of one's own, `profile` where a program's time goes.
//! There is nothing here to import.

#![forbid(unsafe_code)]
