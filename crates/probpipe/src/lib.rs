//! Differentiable, compiled, probabilistic computing: distributions and inference over traced arrays.
