//! Minima and roots of functions. The loops are loops of the program, so a search compiles as a
//! whole, runs in many lanes at once and can itself be differentiated: [`minimize`] by any of four
//! methods, [`least_squares`], [`find_root`] and [`find_root_between`]; and rules for gradient
//! steps, [`Optimizer`], whose loop is yours.
//!
//! ```
//! use probpipe::prelude::*;
//! use probpipe::optimize::{Bfgs, minimize};
//!
//! let rosenbrock =
//!     |(x, y): (Array, Array)| (1.0 - &x).square() + (y - x.square()).square() * 100.0;
//! let fit = jit(|start| minimize(rosenbrock, start, Bfgs::default()));
//! let found = with_default_float(DType::F64, || fit((array(-1.2), array(1.0))));
//! assert!(found.converged.item::<bool>()?);
//! assert!((found.x.0.item::<f64>()? - 1.0).abs() < 1e-6);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod bfgs;
mod lbfgs;
mod least_squares;
mod line_search;
mod minimum;
mod nelder_mead;
mod newton_cg;
mod pairs;
mod quasi_newton;
mod roots;
mod scale;
mod updates;

pub use bfgs::Bfgs;
pub use lbfgs::Lbfgs;
pub use least_squares::{LevenbergMarquardt, least_squares};
pub use minimum::{Minimizer, Minimum, Stop, minimize};
pub use nelder_mead::NelderMead;
pub use newton_cg::NewtonCg;
pub use pairs::Pairs;
pub use roots::{Bracket, Newton, Root, find_root, find_root_between};
pub use updates::{
    AdaBelief, AdaDelta, AdaGrad, Adam, Adamax, AddDecayedWeights, Clip, ClipByBlockRms,
    ClipByGlobalNorm, Ema, Guarded, Lamb, Lars, LbfgsState, Lion, Memory, Momentum, NovoGrad,
    Optimizer, RAdam, RProp, RmsProp, Scale, ScaleByLbfgs, Schedule, Sgd, SignSgd, SkipNotFinite,
    Yogi, apply_updates,
};
