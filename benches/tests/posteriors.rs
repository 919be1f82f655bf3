//! Log densities and gradients against Stan's, of the array programs and of the loops by hand.

use probpipe::prelude::*;
use probpipe::{Rounding, with_rounding};
use probpipe_benches::posteriors::{Check, POSTERIORS};
use probpipe_benches::{Limit, WORKLOADS};
use probpipe_testing::Tolerance;

/// Stan's own rounding: relative to the largest number.
#[track_caller]
fn close(have: &[f64], want: &[f64], tolerance: f64) {
    probpipe_testing::close("", have, want, Tolerance::largest(tolerance));
}

#[test]
fn programs_agree_with_stan() -> Result<()> {
    for posterior in POSTERIORS {
        let columns: Vec<Array> = posterior.columns().into_iter().map(Array::from).collect();
        let f = jit(value_and_grad(|q: Array| (posterior.log_density)(&q, &columns)));
        for check in posterior.checks() {
            let (value, gradient) = f(Array::from(check.at));
            close(&[value.item::<f64>()?], &[check.log_density], 1e-13);
            close(&gradient.to_vec::<f64>()?, &check.gradient, 1e-12);
        }
    }
    Ok(())
}

#[test]
fn contracted_programs_agree_with_stan() -> Result<()> {
    with_rounding(Rounding::Contracted, programs_agree_with_stan)
}

#[test]
fn loops_by_hand_agree_with_stan() {
    for posterior in POSTERIORS {
        let workload = WORKLOADS.iter().find(|w| w.name == posterior.name);
        let Some(Limit::ByHand(by_hand)) = workload.map(|w| w.limit) else {
            panic!("{posterior:?} is not written by hand");
        };
        let columns = posterior.columns();
        for Check { at, log_density, gradient } in posterior.checks() {
            let mut x = vec![at.as_slice()];
            x.extend(columns.iter().map(Vec::as_slice));
            let climbed = by_hand(&x, 1);
            close(&[climbed.total], &[log_density], 1e-13);
            close(&climbed.gradient, &gradient, 1e-12);
        }
    }
}

#[test]
fn both_climb_to_the_same_point() -> Result<()> {
    let mut climbed = 0;
    for workload in WORKLOADS {
        let Limit::ByHand(by_hand) = workload.limit else { continue };
        let inputs = workload.inputs();
        let data: Vec<Vec<f64>> = inputs.iter().map(Array::to_vec).collect::<Result<_>>()?;
        let slices: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
        let have = jit(|x| workload.run(x))(inputs);
        let want = by_hand(&slices, workload.repeats);
        close(&have[0].to_vec::<f64>()?, &want.q, 1e-12);
        close(&[have[1].item::<f64>()?], &[want.total], 1e-12);
        climbed += 1;
    }
    assert_eq!(climbed, POSTERIORS.len());
    Ok(())
}
