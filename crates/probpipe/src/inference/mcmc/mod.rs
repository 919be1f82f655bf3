//! Markov chains. A [`Kernel`] makes one random step that leaves a density as it is: `init` and
//! `step` are functions that can be traced, over a plain log-density, so that a chain is a `scan`
//! and many chains a `vmap`. The step sizes and metrics that kernels go by are found in
//! [`adapt`](super::adapt); whole runs are the pipeline's.
//!
//! | kernel | moves by |
//! |---|---|
//! | [`Nuts`] | Hamiltonian dynamics until it turns back |
//! | [`Hmc`] | a fixed number of steps of Hamiltonian dynamics |

mod dynamics;
mod hmc;
mod kernel;
mod metric;
mod nuts;
mod subtree;
mod tuned;

pub(crate) use dynamics::one_step;
pub use dynamics::{Integrator, Point};
pub use hmc::{Hmc, HmcInfo};
pub use kernel::{Kernel, LogDensity, StepCx};
pub use metric::Metric;
pub use nuts::{Nuts, NutsInfo};
pub use tuned::{Tuned, Tuning};
