//! Families on circles and spheres, by file. The normal distribution of one angle, which is a
//! family of numbers, is in `continuous/von_mises.rs`.

mod bessel;
mod power_spherical;
mod projected_normal;
mod sine_bivariate;
mod sine_skewed;
mod spherical_uniform;
mod turned;
mod von_mises_fisher;

pub(crate) use bessel::log_power_free;
pub use power_spherical::PowerSpherical;
pub use projected_normal::ProjectedNormal;
pub use sine_bivariate::SineBivariateVonMises;
pub use sine_skewed::SineSkewed;
pub use spherical_uniform::SphericalUniform;
pub use von_mises_fisher::VonMisesFisher;
