//! What the type of a distribution can do, found when it is compiled: a constant of a type that has
//! a trait comes before one that all types have.

use super::{Cdf, Covariance, Entropy, Mode, Moments, Quantile};
use std::marker::PhantomData;

/// What a family can do beyond `log_prob`, `sample` and `support`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abilities {
    /// [`Cdf`]: `cdf` and `survival` with their logarithms.
    pub cdf: bool,
    /// [`Quantile`].
    pub quantile: bool,
    /// [`Moments`]: `mean` and `variance`.
    pub moments: bool,
    /// [`Covariance`]: `cov`.
    pub cov: bool,
    /// [`Mode`].
    pub mode: bool,
    /// [`Entropy`].
    pub entropy: bool,
}

impl Abilities {
    /// The cells of a table, in the order of the fields.
    pub(super) fn cells(&self) -> [&'static str; 6] {
        [self.cdf, self.quantile, self.moments, self.cov, self.mode, self.entropy]
            .map(|has| if has { "yes" } else { "" })
    }
}

/// A type that is asked what it can do.
pub(crate) struct Asked<D>(PhantomData<D>);

/// What holds of types that say nothing else.
pub(crate) trait Lacks {
    const CDF: bool = false;
    const QUANTILE: bool = false;
    const MOMENTS: bool = false;
    const COV: bool = false;
    const MODE: bool = false;
    const ENTROPY: bool = false;
}

impl<D> Lacks for Asked<D> {}

macro_rules! has {
    ($($able:ident $constant:ident;)+) => {$(
        impl<D: $able> Asked<D> {
            pub(crate) const $constant: bool = true;
        }
    )+};
}

has! {
    Cdf CDF;
    Quantile QUANTILE;
    Moments MOMENTS;
    Covariance COV;
    Mode MODE;
    Entropy ENTROPY;
}

/// The abilities of a type, which must be named: of a parameter of generic code nothing is known.
macro_rules! abilities {
    ($of:ty) => {{
        #[allow(unused_imports)]
        use $crate::distributions::abilities::{Asked, Lacks as _};
        $crate::distributions::Abilities {
            cdf: Asked::<$of>::CDF,
            quantile: Asked::<$of>::QUANTILE,
            moments: Asked::<$of>::MOMENTS,
            cov: Asked::<$of>::COV,
            mode: Asked::<$of>::MODE,
            entropy: Asked::<$of>::ENTROPY,
        }
    }};
}
pub(crate) use abilities;
