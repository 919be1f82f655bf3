//! Special functions of real numbers: the gamma and beta families with their incomplete integrals
//! and inverses, the zeta function, Bessel functions, exponential integrals and Owen's T.
//!
//! Plain scalar functions of `f64`, accurate to a few units in the last place, tails included; what
//! is dear has a form for results of single precision beside it.
//! Where a function has no closed derivative in a parameter (the shapes of the incomplete
//! integrals, the exponent of zeta), the algorithm is written over [`Number`] and runs on truncated
//! Taylor series as well, so that the derivative is that of the algorithm, term by term.
//!
//! Nothing here panics: outside of its domain a function is NaN.
#![forbid(unsafe_code)]

mod bessel;
mod differences;
mod double;
mod exponential_integral;
mod gamma;
mod incomplete_beta;
mod incomplete_gamma;
mod inverse;
mod normal;
mod number;
mod quadrature;
mod single;
mod stirling;
mod zeta;

pub use bessel::{i0, i0e, i0e_slope, i1, i1e};
pub use differences::{betaln, digamma_difference};
pub use exponential_integral::{exp1, expi};
pub use gamma::{digamma, gamma, lgamma};
pub use incomplete_beta::{beta_density, betainc, betainc_derivative};
pub use incomplete_gamma::{gamma_density, gammainc, gammainc_derivative, gammaincc};
pub use inverse::{betaincinv, gammainccinv, gammaincinv};
pub use normal::{erfcx, owens_t};
pub use number::{MAX_ORDER, Number, Taylor};
pub use single::{
    beta_density_single, betainc_single, gamma_density_single, gammainc_single, gammaincc_single,
};
pub use zeta::{polygamma, zeta, zeta_derivative};
