//! Parameters and points whose shapes broadcast: the densities in their shape, and the slopes of
//! their sum in that of each parameter.

use super::family::Family;
use crate::compare::{Miss, array, within};
use crate::report::{Verdict, Worst, in_both_types};
use probpipe::{Array, DType, Device, jit_on, value_and_grad};
use probpipe_testing::reference;
use serde_json::Value as Json;

/// Runs one case in both float types; of devices without `f64` in the one that they have.
pub(super) fn run(family: &Family, case: &Json, device: Device) -> Verdict {
    in_both_types(device, |float| check(family, case, device, float))
}

fn check(family: &Family, case: &Json, device: Device, float: DType) -> Verdict {
    let read = |json: &Json| match json {
        Json::Object(_) => reference::array(json, Some(float)),
        number => Some(Array::from(reference::number(number)).cast(float)),
    };
    let parameters = family.parameters.iter().map(|name| read(&case["params"][*name]));
    let (Some(parameters), Some(x)) = (parameters.collect(), read(&case["x"])) else {
        return Verdict::NoRule(family.name.to_string());
    };
    let (values, slopes) = jit_on(device, |(p, x): (Vec<Array>, Array)| {
        let (_, slopes) =
            value_and_grad(|p: Vec<Array>| (family.log_prob)(&p, &x).sum())(p.clone());
        ((family.log_prob)(&p, &x), slopes)
    })((parameters, x));
    let (value, slope) = match float {
        DType::F32 => (within(1e-5, 1e-5), within(1e-5, 1e-5)),
        _ => (within(1e-11, 1e-11), within(1e-9, 1e-9)),
    };
    let all = || -> Result<f64, Miss> {
        let any = &|_, _| false;
        let mut worst = array("log_prob", &values, &case["log_prob"], None, value, any)?;
        for (name, have) in family.parameters.iter().zip(&slopes) {
            let want = &case["grad_params_of_sum"][*name];
            worst = worst.max(array(name, have, want, None, slope, any)?);
        }
        Ok(worst)
    };
    match all() {
        Ok(worst) => Verdict::Passed(Worst::of(float == DType::F32, worst)),
        Err(miss) => miss.into(),
    }
}
