//! What a run gives.

use super::columns::record;
use super::course::Ended;
use crate::device::jit;
use crate::diagnostics::{Summary, summary};
use crate::record::Record;
use probpipe_trace::{Array, Error, ErrorKind, Result, Tree, here, with_location};
use probpipe_transforms::vmap;

/// Draws of several chains. It says how the run ended and what there is to be said against it: see
/// [`Draws::whole`] and [`Draws::warnings`].
#[derive(Clone, Debug)]
pub struct Draws<T> {
    /// Values of the target, each of shape `[chains, draws, ..]`.
    pub values: T,
    /// The vectors that they come from, `[chains, draws, n]`.
    pub unconstrained: Array,
    /// What is known of each step, `[chains, draws]`: `log_density`, `step_size`, and the fields of
    /// the kernel's information by their names.
    pub stats: Record,
    /// How the run ended. Of one that did not complete there are as many draws as all chains had.
    pub ended: Ended,
    /// Draws that each chain was to have.
    pub(super) wanted: usize,
    /// Doublings that a trajectory has at most, of kernels that double.
    pub(super) max_depth: Option<usize>,
}

impl<T> Draws<T> {
    /// Number of chains.
    pub fn chains(&self) -> usize {
        self.unconstrained.shape()[0]
    }

    /// Number of draws of each chain.
    pub fn draws(&self) -> usize {
        self.unconstrained.shape()[1]
    }

    /// The draws, if the run completed.
    ///
    /// # Errors
    /// What ended it before.
    #[track_caller]
    pub fn whole(self) -> Result<Draws<T>> {
        match self.ended {
            Ended::Complete => Ok(self),
            Ended::Interrupted => {
                let message =
                    format!("the run was stopped after {} of {} draws", self.draws(), self.wanted);
                Err(Error::new(ErrorKind::Value, message).at(here()))
            }
            Ended::Failed(error) => Err(error),
        }
    }
}

impl<T: Tree> Draws<T> {
    /// The values by path.
    pub fn record(&self) -> Record {
        record(&self.values)
    }

    /// Quantities that are made of the values, as draws: `f` takes the values of one draw and gives
    /// arrays, of any element type, which get axes `[chains, draws]` in front. It is traced once,
    /// and computed for all draws of all chains by one compiled program. How the run ended and what
    /// is known of its steps stays as it was, so that the result has a summary and warnings, and is
    /// written, as the draws are.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let mean = t.sample("mean", Normal::new(0.0, 10.0));
    ///     t.call("y", Normal::new(mean, 1.0).repeat(4), ())
    /// });
    /// let observed = ChoiceMap::new([("y", array([1.0, 2.0, 3.0, 2.0]))]);
    /// let target = Target::of(model, (), &observed)?;
    /// let draws = Nuts::default().chains(2).sample(Key::new(0), &target)?;
    /// let extra = draws.map(|at| {
    ///     let mean = &at["mean"];
    ///     Record::new([("above", mean.gt(2.0)), ("rate", mean.exp())])
    /// })?;
    /// assert_eq!(extra.values["rate"].shape(), [2, 1000]);
    /// let table = extra.summary()?;
    /// assert!((table.get("above").unwrap().mean - 0.5).abs() < 0.1);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the function, and of its compilation.
    #[track_caller]
    #[doc(alias = "numpyro.deterministic")]
    #[doc(alias = "stan.generated_quantities")]
    pub fn map<R: Tree>(&self, f: impl Fn(T) -> R) -> Result<Draws<R>>
    where
        T: Clone,
    {
        // What is done inside is told with its own lines, what is done with all of it with the
        // caller's.
        let values = jit(vmap(vmap(f)))(self.values.clone());
        if let Some(error) = values.leaves().iter().find_map(Array::error) {
            return Err(error.clone().at(here()));
        }
        Ok(Draws {
            values,
            unconstrained: self.unconstrained.clone(),
            stats: self.stats.clone(),
            ended: self.ended.clone(),
            wanted: self.wanted,
            max_depth: self.max_depth,
        })
    }

    /// Means, errors, intervals, effective sizes and R-hat of all values: a table, which prints.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// let log_density = |x: Array| Normal::new(1.0, [0.5, 2.0]).log_prob(&x).sum();
    /// let target = Target::new(log_density, zeros([2]))?;
    /// let draws = Nuts::default().chains(2).sample(Key::new(0), &target)?;
    /// let table = draws.summary()?;
    /// assert!((table.quantities()[1].sd - 2.0).abs() < 0.2);
    /// println!("{table}");
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`summary`].
    #[track_caller]
    pub fn summary(&self) -> Result<Summary> {
        with_location(here(), || summary(&self.record()))
    }
}
