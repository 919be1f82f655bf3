//! Markov chains. A [`Kernel`] makes one random step that leaves a density as it is: `init` and
//! `step` are functions that can be traced, over a plain log-density, so that a chain is a `scan`
//! and many chains a `vmap`. The step sizes and metrics that kernels go by are found in
//! [`adapt`](super::adapt); whole runs are the pipeline's.
//!
//! | kernel | moves by |
//! |---|---|
//! | [`Nuts`] | Hamiltonian dynamics until it turns back |
//! | [`Hmc`] | a fixed number of steps of Hamiltonian dynamics |
//! | [`MultinomialHmc`] | a point of such a trajectory, in proportion to its density |
//! | [`Mala`] | one step of Langevin dynamics |
//! | [`Barker`] | a random walk whose signs follow the gradient |
//! | [`Mclmc`] | isokinetic dynamics with noise, not corrected |
//! | [`AdjustedMclmc`] | isokinetic dynamics, accepted or not |
//! | [`Sgld`], [`Sghmc`] | Langevin dynamics by gradients that may be estimates |
//! | [`RandomWalk`] | normal proposals |
//! | [`Independent`] | proposals of any distribution |
//! | [`Slice`], [`CoordinateSlice`] | a point of a line that lies above a random level |
//! | [`EllipticalSlice`] | the same of an ellipse, under a normal prior |
//! | [`Gibbs`] | other kernels on parts of a position in turn |
//! | [`ReplicaExchange`] | other kernels at several temperatures, which swap places |
//!
//! Kernels with a step size and a metric that a warm-up can find are [`Tuned`]. [`gibbs()`] moves
//! the choices of a model that have finitely many values, from trace to trace; [`Minibatch`]
//! estimates densities of much data. No kernel goes where the density is not finite, or is not a
//! number.

mod adjusted_mclmc;
mod barker;
mod dynamics;
mod elliptical;
mod enumeration;
mod flat;
mod gibbs;
mod hmc;
mod independent;
mod isokinetic;
mod kernel;
mod mala;
mod mclmc;
mod metric;
mod metropolis;
mod minibatch;
mod multinomial;
mod nuts;
mod random_walk;
mod replica_exchange;
mod sghmc;
mod sgld;
mod slice;
mod subtree;
mod trajectory;
mod tuned;

pub use adjusted_mclmc::{AdjustedMclmc, AdjustedMclmcInfo};
pub use barker::Barker;
pub(crate) use dynamics::one_step;
pub use dynamics::{Integrator, Point};
pub use elliptical::EllipticalSlice;
pub use enumeration::gibbs;
pub use gibbs::{Block, Blocks, Gibbs};
pub use hmc::{Hmc, HmcInfo};
pub use independent::Independent;
pub(crate) use kernel::side_by_side;
pub use kernel::{Between, Chain, Keep, Kernel, Learn, Located, LogDensity, StepCx, Steps};
pub use mala::Mala;
pub use mclmc::{Mclmc, MclmcInfo, MclmcState};
pub use metric::Metric;
pub(crate) use metropolis::either;
pub use metropolis::{MetropolisInfo, Place};
pub use minibatch::Minibatch;
pub use multinomial::MultinomialHmc;
pub use nuts::Nuts;
pub use random_walk::RandomWalk;
pub use replica_exchange::{ReplicaExchange, ReplicaInfo, Replicas};
pub use sghmc::{Sghmc, SghmcState};
pub use sgld::{Sgld, StochasticInfo};
pub use slice::{CoordinateSlice, Slice, SliceInfo};
pub use trajectory::NutsInfo;
pub(crate) use tuned::attainable;
pub use tuned::{Tuned, Tuning};
