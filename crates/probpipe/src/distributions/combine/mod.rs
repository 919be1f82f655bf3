//! Distributions made of others.

mod censored;
mod copula;
mod euler_maruyama;
mod expanded;
mod gate;
mod hurdle;
mod improper;
mod independent;
mod joint;
mod masked;
mod mixture;
mod points;
mod product;
mod same_family;
mod sequential;
mod transformed;
mod truncated;
mod weights;
mod zero_inflated;

pub use censored::{IntervalCensored, LeftCensored, RightCensored};
pub use copula::{GaussianCopula, GaussianCopulaBeta};
pub use euler_maruyama::EulerMaruyama;
pub use expanded::Expanded;
pub use gate::Gate;
pub use hurdle::Hurdle;
pub use improper::{ImproperUniform, Unit};
pub use independent::Independent;
pub use joint::{FlatDistribution, Joint, JointPart, JointValue, Layout};
pub use masked::Masked;
pub use mixture::{Components, Mixture, MomentsOfComponents};
pub use product::{Parts, Product, product};
pub use same_family::MixtureSameFamily;
pub use sequential::Sequential;
pub use transformed::Transformed;
pub use truncated::Truncated;
pub use zero_inflated::ZeroInflated;
