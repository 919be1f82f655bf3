//! Graph transformations of probpipe: jvp, vjp, grad, vmap, jit.
