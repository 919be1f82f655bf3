//! Draws written as ArviZ reads them, with what belongs to them.

use super::columns::record;
use super::draws::Draws;
use super::folder::refuse_full;
use super::groups::{Group, prepare};
use super::zarr;
use crate::generative::{ChoiceMap, GenerativeFunction};
use crate::record::Record;
use probpipe_trace::{
    ArrayType, Error, ErrorKind, IntoTree, Key, Result, Tree, here, with_location,
};
use std::path::Path;

/// Draws and what belongs to them, to be written for ArviZ: [`Draws::export`].
///
/// ```no_run
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::Nuts;
/// use probpipe::prelude::*;
/// # let model = generative(|t: &mut Choices| {
/// #     let mean = t.sample("mean", Normal::new(0.0, 10.0));
/// #     t.call("y", Normal::new(mean, 1.0).repeat(4), ())
/// # });
/// # let observed = ChoiceMap::new([("y", array([1.0, 2.0, 3.0, 2.0]))]);
/// let target = Target::of(model, (), &observed)?;
/// let draws = Nuts::default().chains(4).sample(Key::new(0), &target)?;
/// let prior = Record::new([("mean", normal(Key::new(1), [1, 500]) * 10.0)]);
/// draws.export().observed_data(observed.record().clone()).prior(prior).to_zarr("draws.zarr")?;
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// [`Draws::export_with`] finds what a model and its data say of the draws by itself.
///
/// In Python, `arviz.from_zarr("draws.zarr")`, or with version 3 of zarr
/// `arviz.InferenceData.from_datatree(xarray.open_datatree("draws.zarr", engine="zarr"))`.
#[derive(Clone, Debug)]
#[must_use]
pub struct Export {
    groups: Vec<(&'static str, bool, Record)>,
}

impl<T: Tree> Draws<T> {
    /// Writes the draws as a Zarr store that ArviZ reads; with what belongs to them by
    /// [`Draws::export`] and [`Draws::export_with`].
    ///
    /// # Errors
    /// A folder that is not empty, or that cannot be written.
    #[track_caller]
    pub fn to_zarr(&self, path: impl AsRef<Path>) -> Result<()> {
        with_location(here(), || self.export().to_zarr(path))
    }

    /// The draws, to be written with what belongs to them.
    pub fn export(&self) -> Export {
        Export::of(self)
    }
}

impl Draws<ChoiceMap> {
    /// The draws with all that is known of them by the model and the data that they were drawn
    /// with: log-densities of the observations ([`Draws::log_likelihood`]), data that the draws
    /// predict ([`Draws::predict`]), what was observed, and the model's arguments as constant data,
    /// by their paths. Without observations there are the draws and the arguments alone.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// # let folder = std::env::temp_dir().join(format!("probpipe-export-{}", std::process::id()));
    /// let model = generative(|t: &mut Choices, x: Array| {
    ///     let slope = t.sample("slope", Normal::new(0.0, 10.0));
    ///     t.sample("y", Normal::new(slope * x, 1.0))
    /// });
    /// let (x, observed) = (arange(3), ChoiceMap::new([("y", array([0.1, 1.8, 4.2]))]));
    /// let target = Target::of(model.clone(), &x, &observed)?;
    /// let draws = Nuts::default().chains(2).sample(Key::new(0), &target)?;
    /// draws.export_with(Key::new(1), &model, &x, &observed)?.to_zarr(folder.join("draws.zarr"))?;
    /// # assert!(folder.join("draws.zarr/posterior_predictive/y").is_dir());
    /// # std::fs::remove_dir_all(folder).ok();
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the model; draws of choices that it has not; observed addresses that it has not.
    #[track_caller]
    pub fn export_with<G>(
        &self,
        key: Key,
        model: &G,
        args: impl IntoTree<G::Args>,
        observed: &ChoiceMap,
    ) -> Result<Export>
    where
        G: GenerativeFunction,
        G::Args: IntoTree<G::Args>,
    {
        let args = args.into_tree();
        with_location(here(), || {
            let export = self.export().constant_data(record(&args));
            if observed.is_empty() {
                return Ok(export);
            }
            let scores = self.log_likelihood(model, args.clone(), observed)?;
            let predicted = self.predict(key, model, args)?;
            let seen = observed.record().clone();
            Ok(export.log_likelihood(scores).posterior_predictive(predicted).observed_data(seen))
        })
    }
}

macro_rules! groups {
    ($($(#[$doc:meta])* $name:ident $drawn:literal)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, arrays: Record) -> Export {
            self.groups.retain(|(name, ..)| *name != stringify!($name));
            self.groups.push((stringify!($name), $drawn, arrays));
            self
        }
    )*};
}

impl Export {
    fn of<T: Tree>(draws: &Draws<T>) -> Export {
        let z = Record::new([("z", &draws.unconstrained)]);
        Export {
            groups: vec![
                ("posterior", true, record(&draws.values)),
                ("sample_stats", true, draws.stats.clone()),
                ("unconstrained_posterior", true, z),
            ],
        }
    }

    groups! {
        /// With log-densities of each observation, `[chains, draws, ..]`, for LOO.
        log_likelihood true
        /// With data that draws predict, `[chains, draws, ..]`.
        posterior_predictive true
        /// With draws of the prior, `[chains, draws, ..]`.
        prior true
        /// With data that draws of the prior predict, `[chains, draws, ..]`.
        prior_predictive true
        /// With what was observed.
        observed_data false
        /// With what the model was given besides, as covariates.
        constant_data false
    }

    /// Writes it as a Zarr store: a group for each part, with axes `chain`, `draw` and
    /// `NAME_dim_0`.
    ///
    /// # Errors
    /// A folder that is not empty, or that cannot be written; arrays without axes for chains and
    /// draws.
    #[track_caller]
    pub fn to_zarr(&self, path: impl AsRef<Path>) -> Result<()> {
        with_location(here(), || self.written(path.as_ref())).map_err(|error| error.at(here()))
    }

    fn written(&self, path: &Path) -> Result<()> {
        refuse_full(path)?;
        let mut variables = Vec::new();
        for (name, drawn, arrays) in self.groups.iter().filter(|(.., arrays)| !arrays.is_empty()) {
            let mut types: Vec<(String, ArrayType)> = Vec::new();
            for (path, array) in arrays.arrays() {
                let ty = array.ty()?;
                let first = |(_, other): &(String, ArrayType)| other.shape[..2] == ty.shape[..2];
                if *drawn && (ty.rank() < 2 || !types.first().is_none_or(first)) {
                    let message = format!("`{path}` of `{name}` is {ty}");
                    return Err(Error::new(ErrorKind::Shape, message).help(
                        "its first axes are to be chains and draws, as those of the others",
                    ));
                }
                types.push((path, ty.clone()));
            }
            let group = Group { name, drawn: *drawn, arrays: types }.variables();
            prepare(path, &group)?;
            for (variable, (_, array)) in group.iter().zip(arrays.arrays()) {
                zarr::write_array(path, variable, array)?;
            }
            variables.extend(group);
        }
        zarr::write_metadata(path, &variables, &zarr::now())
    }
}
