//! Families of categories: densities, their slopes in the vectors that are parameters, entropy.

use super::family::Family;
use crate::compare::{Miss, array, within};
use crate::report::{Verdict, Worst};
use probpipe::{Array, DType, Device, grad, jit_on, stack};
use probpipe_testing::reference;
use serde_json::Value as Json;

/// Runs one case in `f64`; on devices without it in `f32`.
pub(super) fn run(family: &Family, case: &Json, device: Device) -> Verdict {
    let float = if device == Device::Gpu { DType::F32 } else { DType::F64 };
    let read = |name: &&str| reference::array(&case["params"][*name], Some(float));
    let parameters = family.parameters.iter().map(read);
    let (Some(parameters), Some(x)) = (parameters.collect(), reference::array(&case["x"], None))
    else {
        return Verdict::NoRule(family.name.to_string());
    };
    let n = x.shape()[0];
    let (values, slopes, entropy) = jit_on(device, |(p, x): (Vec<Array>, Array)| {
        let at =
            |i: usize| grad(|p: Vec<Array>| (family.log_prob)(&p, &x.at(i as isize)))(p.clone());
        let points: Vec<Vec<Array>> = (0..n).map(at).collect();
        let of = |k: usize| stack(&points.iter().map(|s| s[k].clone()).collect::<Vec<_>>(), 0);
        let slopes: Vec<Array> = (0..p.len()).map(of).collect();
        ((family.log_prob)(&p, &x), slopes, (family.entropy)(&p).into_iter().collect::<Vec<_>>())
    })((parameters, x));
    let (value, slope) = match float {
        DType::F32 => (within(2e-5, 2e-5), within(2e-5, 2e-5)),
        _ => (within(1e-11, 1e-11), within(1e-9, 1e-9)),
    };
    let all = || -> Result<f64, Miss> {
        let any = &|_, _| false;
        let mut worst = array("log_prob", &values, &case["log_prob"], None, value, any)?;
        for (name, have) in family.parameters.iter().zip(&slopes) {
            let want = &case["grad_params"][*name];
            worst = worst.max(array(name, have, want, None, slope, any)?);
        }
        if let (Some(have), Some(want)) = (entropy.first(), case.get("entropy")) {
            let want = serde_json::json!({"dtype": "f64", "shape": [], "data": [want]});
            worst = worst.max(array("entropy", have, &want, None, value, any)?);
        }
        Ok(worst)
    };
    match all() {
        Ok(worst) => Verdict::Passed(Worst::of(float == DType::F32, worst)),
        Err(Miss::Wrong(why)) => Verdict::Failed(why),
        Err(Miss::NotLowered(what)) => Verdict::NotLowered(what),
    }
}
