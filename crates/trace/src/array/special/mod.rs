//! Special functions and activations, element by element.

mod activation;
pub(crate) mod families;
mod gaussian;

pub use families::{
    beta, beta_density, betainc, betaincinv, betaln, digamma_difference, gamma_density, gammainc,
    gammaincc, gammainccinv, gammaincinv, log_binomial, owens_t, polygamma, random_gamma_grad,
    rising_factorial, zeta,
};
