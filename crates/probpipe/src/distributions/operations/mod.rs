//! Operations on any distribution: expectations, covariances, the same moments in another family,
//! and draws on the host.

mod covariance;
mod expectation;
mod host;
mod matching;

pub use expectation::{Estimate, Expectation};
pub use host::{HostDraws, HostSampler};
pub use matching::{FromDistribution, MomentMatched, from_distribution, match_moments};
