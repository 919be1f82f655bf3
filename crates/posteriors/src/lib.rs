//! Real-world posteriors as programs: those of sixteen Stan programs of posteriordb, each written
//! as a user of the library writes it, with their data, with what Stan finds at points, and with
//! what draws of them say; and least squares with certified values. Tests, benches and examples
//! share them. Everything is `f64`.
//!
//! ```
//! use probpipe::{DType, jit, value_and_grad, with_default_float};
//! let posterior = probpipe_posteriors::named("kidscore_interaction").unwrap();
//! let target = posterior.target()?;
//! let check = &posterior.checks()[0];
//! let z = target.unconstrain(&check.values)?;
//! let (density, slope) = jit(value_and_grad(|z| target.log_density(&z)))(z);
//! let want = check.log_density_with_volume + posterior.constant;
//! assert!((density.item::<f64>()? / want - 1.0).abs() < 1e-12);
//! assert_eq!(slope.shape(), [5]);
//! # Ok::<(), probpipe::Error>(())
//! ```

#![forbid(unsafe_code)]

mod reading;

pub mod nist;

mod ar_k;
mod dogs;
mod eight_schools;
mod garch11;
mod gaussian_processes;
mod hmm_example;
mod irt_2pl;
mod kidscore;
mod logearn;
mod lotka_volterra;
mod low_dim_gauss_mix;
mod nes1980;
mod nes_logit;
mod radon;

pub use reading::Data;

use probpipe::inference::Target;
use probpipe::{Array, DType, Record, Result, with_default_float};
use reading::{number, numbers, record_by_names};
use std::f64::consts::LN_2;
use std::fmt;

/// A posterior, its data and its answers.
#[derive(Clone, Copy)]
pub struct Posterior {
    /// The folder of its data, which is its name in posteriordb or an abbreviation of that.
    pub name: &'static str,
    /// What the log-density has more than that of the Stan program with all its constants. Stan
    /// leaves out what a distribution gains where a constraint cuts off a part of it: a half-Cauchy
    /// here is twice a Cauchy there, two numbers in order are twice two in any.
    pub constant: f64,
    /// How close samplers are to step for acceptance, as the authors of the draws advise.
    pub target_acceptance: f64,
    target: fn() -> Result<Target<Record>>,
    generated: fn(&Record) -> Record,
    checks: &'static str,
    reference: &'static str,
}

/// What Stan finds at a point.
#[derive(Clone, Debug)]
pub struct Check {
    /// The parameters.
    pub values: Record,
    /// What stands for them on Stan's unconstrained scale.
    pub unconstrained: Record,
    /// The log-density of the values, with every constant.
    pub log_density: f64,
    /// The gradient of that on the unconstrained scale.
    pub gradient: Record,
    /// The log-density of what stands for the values.
    pub log_density_with_volume: f64,
    /// The gradient of that on the unconstrained scale.
    pub gradient_with_volume: Record,
}

/// What draws of a posterior say of its quantities, which [`Posterior::quantities`] makes of
/// values. All have the same addresses and shapes.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Means.
    pub mean: Record,
    /// Their Monte Carlo standard errors.
    pub mcse_mean: Record,
    /// Standard deviations.
    pub sd: Record,
    /// Their Monte Carlo standard errors.
    pub mcse_sd: Record,
    /// The quantile of 5 %.
    pub q05: Record,
    /// The quantile of 95 %.
    pub q95: Record,
}

macro_rules! posterior {
    ($name:literal, $target:path) => {
        Posterior {
            name: $name,
            constant: 0.0,
            target_acceptance: 0.8,
            target: $target,
            generated: |_| Record::default(),
            checks: include_str!(concat!("../data/", $name, "/logp_check.json")),
            reference: include_str!(concat!("../data/", $name, "/reference.json")),
        }
    };
}

/// All posteriors.
pub const POSTERIORS: [Posterior; 16] = [
    Posterior { constant: LN_2, ..posterior!("arK", ar_k::target) },
    posterior!("dogs", dogs::target),
    Posterior {
        constant: LN_2,
        target_acceptance: 0.99,
        ..posterior!("eight_schools_centered", eight_schools::centered)
    },
    Posterior {
        constant: LN_2,
        target_acceptance: 0.95,
        generated: eight_schools::theta,
        ..posterior!("eight_schools_noncentered", eight_schools::noncentered)
    },
    posterior!("garch11", garch11::target),
    Posterior {
        constant: LN_2,
        target_acceptance: 0.99,
        generated: gaussian_processes::values,
        ..posterior!("gp_pois_regr", gaussian_processes::counts)
    },
    Posterior {
        constant: 2.0 * LN_2,
        target_acceptance: 0.95,
        ..posterior!("gp_regr", gaussian_processes::numbers)
    },
    Posterior { constant: -LN_2, ..posterior!("hmm_example", hmm_example::target) },
    Posterior { constant: 3.0 * LN_2, ..posterior!("irt_2pl", irt_2pl::target) },
    Posterior { constant: LN_2, ..posterior!("kidscore_interaction", kidscore::target) },
    posterior!("logearn_interaction", logearn::target),
    Posterior {
        constant: lotka_volterra::CONSTANT,
        target_acceptance: 0.95,
        ..posterior!("lotka_volterra", lotka_volterra::target)
    },
    Posterior {
        constant: 3.0 * LN_2,
        ..posterior!("low_dim_gauss_mix", low_dim_gauss_mix::target)
    },
    posterior!("nes1980", nes1980::target),
    posterior!("nes_logit", nes_logit::target),
    Posterior {
        constant: 2.0 * LN_2,
        generated: radon::alpha,
        ..posterior!("radon_mn_hier_noncentered", radon::target)
    },
];

/// The posterior of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Posterior> {
    POSTERIORS.iter().find(|posterior| posterior.name == name)
}

impl Posterior {
    /// The log-density of real vectors, and the way from these to parameters.
    ///
    /// # Errors
    /// None, unless the library has a fault.
    pub fn target(&self) -> Result<Target<Record>> {
        with_default_float(DType::F64, self.target)
    }

    /// The quantities that the reference is of: parameters, and what is made of them.
    #[must_use]
    pub fn quantities(&self, values: &Record) -> Record {
        let made = with_default_float(DType::F64, || (self.generated)(values));
        let all = made.merge(values).unwrap_or(made);
        let wanted = self.reference().mean;
        Record::new(
            wanted.paths().into_iter().map(|path| (path.clone(), all[path.as_str()].clone())),
        )
    }

    /// The points that Stan was asked about; the first three are draws of the posterior.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let data = Data::new(self.checks);
        let names = |list: &str| -> Vec<String> {
            let names = data.value()[list].as_array().expect("a list of names");
            names.iter().map(|name| name.as_str().expect("a name").to_string()).collect()
        };
        let (constrained, unconstrained) =
            (names("constrained_names"), names("unconstrained_names"));
        let record = |names: &[String], value: &serde_json::Value| {
            record_by_names(names.iter().map(String::as_str).zip(numbers(value).0))
        };
        let points = data.value()["points"].as_array().expect("a list of points");
        let check = |point: &serde_json::Value| Check {
            values: record(&constrained, &point["constrained"]),
            unconstrained: record(&unconstrained, &point["unconstrained"]),
            log_density: number(&point["log_prob_full_nojac"]),
            gradient: record(&unconstrained, &point["grad_nojac"]),
            log_density_with_volume: number(&point["log_prob_full_jac"]),
            gradient_with_volume: record(&unconstrained, &point["grad_jac"]),
        };
        points.iter().map(check).collect()
    }

    /// What draws of the posterior say.
    #[must_use]
    pub fn reference(&self) -> Reference {
        let data = Data::new(self.reference);
        let entries = data.value()["parameters"].as_object().expect("an entry for each number");
        // The map is in the order of its keys: `theta[10]` comes before `theta[2]`.
        let place = |name: &str| {
            let (address, index) = name.split_once('[').unwrap_or((name, "0]"));
            (address.to_string(), index.trim_end_matches(']').parse::<usize>().expect("an index"))
        };
        let mut names: Vec<&str> = entries.keys().map(String::as_str).collect();
        names.sort_by_key(|name| place(name));
        let column = |what: &str| {
            record_by_names(names.iter().map(|&name| (name, number(&entries[name][what]))))
        };
        Reference {
            mean: column("mean"),
            mcse_mean: column("mcse_mean"),
            sd: column("sd"),
            mcse_sd: column("mcse_sd"),
            q05: column("q05"),
            q95: column("q95"),
        }
    }
}

impl fmt::Debug for Posterior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A flat prior for `n` numbers that may have any value.
fn flat(n: usize) -> probpipe::ImproperUniform {
    probpipe::ImproperUniform::new(probpipe::Constraint::Real, [], [n])
}

/// Columns side by side, the first of ones: what a linear model multiplies its coefficients with.
fn design(columns: &[Array]) -> Array {
    let ones = probpipe::ones_like(&columns[0]);
    probpipe::stack(&[&[ones], columns].concat(), 1)
}
