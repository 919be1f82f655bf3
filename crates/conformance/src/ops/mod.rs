//! Single operations: values in both float types, tangents, cotangents, first and second
//! derivatives, each against the reference. Rules are in files by family.

mod creation;
mod elementwise;
mod linalg;
mod pairs;
mod products;
mod reductions;
mod shape;

use crate::compare::{self, EXACT, Tolerance, within};
use crate::golden::{array, dtype, number};
use crate::report::Verdict;
use probpipe::{Array, DType, Device, grad, jit_on, jvp, ones_like, vjp, with_default_float};
use serde_json::Value as Json;
use std::sync::Arc;

/// How a case is computed.
type Compute = Arc<dyn Fn(&[Array]) -> Vec<Array>>;

/// A computation and how close it must come.
struct Rule {
    class: Class,
    compute: Compute,
}

/// The classes of tolerance.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Exact,
    Elementwise,
    /// Elementwise where the reference itself is less exact.
    Hard,
    Reduction,
    Linalg,
}

impl Class {
    fn value(self) -> Tolerance {
        match self {
            Class::Exact => EXACT,
            Class::Elementwise => within(1e-13, 1e-15),
            Class::Hard => within(1e-11, 1e-15),
            Class::Reduction => within(1e-12, 1e-13),
            Class::Linalg => within(1e-9, 1e-9),
        }
    }

    /// Shaders round functions less well than libraries for processors do: four times as far.
    fn narrow(self, device: Device) -> Tolerance {
        let factor = if device == Device::Gpu { 4.0 } else { 1.0 };
        match self {
            Class::Exact => EXACT,
            Class::Elementwise | Class::Hard => within(2e-6 * factor, 1e-6 * factor),
            Class::Reduction => within(5e-6 * factor, 5e-6 * factor),
            Class::Linalg => within(1e-4, 1e-4),
        }
    }

    fn derivative(self) -> Tolerance {
        if self == Class::Linalg { within(1e-7, 1e-7) } else { within(1e-10, 1e-11) }
    }
}

fn rule(class: Class, compute: impl Fn(&[Array]) -> Vec<Array> + 'static) -> Option<Rule> {
    Some(Rule { class, compute: Arc::new(compute) })
}

fn one(class: Class, compute: impl Fn(&Array) -> Array + 'static) -> Option<Rule> {
    rule(class, move |x| vec![compute(&x[0])])
}

fn two(class: Class, compute: impl Fn(&Array, &Array) -> Array + 'static) -> Option<Rule> {
    rule(class, move |x| vec![compute(&x[0], &x[1])])
}

/// A whole number among the attributes.
fn whole(attrs: &Json, name: &str) -> Option<isize> {
    attrs[name].as_i64().map(|n| n as isize)
}

/// The rule for a case, by operation and attributes.
fn find(case: &Json) -> Option<Rule> {
    let (op, attrs) = (case["op"].as_str()?, &case["attrs"]);
    let operands = case["inputs"].as_array().map_or(0, Vec::len);
    if operands == 0 {
        return creation::find(op, case["jax"].as_str()?, attrs);
    }
    let found = match operands {
        1 => elementwise::find(op, attrs),
        2 => pairs::find(op, attrs),
        _ => None,
    };
    found
        .or_else(|| reductions::find(op, attrs))
        .or_else(|| shape::find(op, attrs))
        .or_else(|| products::find(op, attrs, operands))
        .or_else(|| linalg::find(op, attrs))
}

/// Element types of a case that neither the library nor the device has.
fn missing_type(case: &Json, device: Device) -> Option<String> {
    let arrays = case["inputs"].as_array().into_iter().chain(case["out"].as_array()).flatten();
    for array in arrays {
        let name = array["dtype"].as_str()?;
        let on_gpu = matches!(name, "f32" | "f64" | "i32" | "u32" | "bool");
        if dtype(&array["dtype"]).is_none() || device == Device::Gpu && !on_gpu {
            return Some(name.to_string());
        }
    }
    None
}

/// Runs one case.
pub fn run(case: &Json, device: Device) -> Verdict {
    let op = case["op"].as_str().unwrap_or("?").to_string();
    if let Some(missing) = missing_type(case, device) {
        return Verdict::NoRule(format!("{op}[{missing}]"));
    }
    let Some(rule) = find(case) else { return Verdict::NoRule(op) };
    match (Run { case, device, rule }).all() {
        Ok(worst) => Verdict::Passed(worst),
        Err(why) => Verdict::Failed(why),
    }
}

struct Run<'a> {
    case: &'a Json,
    device: Device,
    rule: Rule,
}

impl Run<'_> {
    fn all(&self) -> Result<f64, String> {
        let mut worst = 0.0f64;
        if self.device != Device::Gpu {
            with_default_float(DType::F64, || {
                worst = self.values("out", None, self.rule.class.value())?;
                self.tangents()?;
                self.cotangents()?;
                self.derivatives()
            })?;
        }
        let narrow = || {
            let tolerance = self.rule.class.narrow(self.device);
            let floats = self.case.get("out_f32").is_some();
            // Without floats among the results one run on f64 operands says all, but for shaders.
            if floats {
                self.values("out_f32", Some(DType::F32), tolerance)
            } else if self.device == Device::Gpu {
                self.values("out", Some(DType::F32), tolerance)
            } else {
                Ok(0.0)
            }
        };
        Ok(worst.max(with_default_float(DType::F32, narrow)?))
    }

    fn inputs(&self, float: Option<DType>) -> Result<Vec<Array>, String> {
        let list = self.case["inputs"].as_array().ok_or("no inputs")?;
        list.iter().map(|x| array(x, float).ok_or("unreadable input".to_string())).collect()
    }

    /// Edge cases hold singular points, where a derivative that is no number is a convention, and
    /// so is that at an argument which is none.
    fn skip(&self, want: &Json) -> impl Fn(usize, f64) -> bool + use<> {
        let edge = self.case["edge"] == true;
        let inputs = self.case["inputs"].as_array().cloned().unwrap_or_default();
        let shape = want["shape"].clone();
        move |i, v| {
            let odd = |x: &Json| x["shape"] == shape && !number(&x["data"][i]).is_finite();
            edge && (!v.is_finite() || inputs.iter().any(odd))
        }
    }

    fn values(
        &self,
        field: &str,
        float: Option<DType>,
        tolerance: Tolerance,
    ) -> Result<f64, String> {
        let compute = self.rule.compute.clone();
        let outputs = jit_on(self.device, move |x: Vec<Array>| compute(&x))(self.inputs(float)?);
        let wanted = self.case[field].as_array().ok_or("no results")?;
        if wanted.len() != outputs.len() {
            return Err(format!("{field}: {} results, not {}", outputs.len(), wanted.len()));
        }
        let mut worst = 0.0f64;
        for (have, want) in outputs.iter().zip(wanted) {
            let narrow = want["dtype"] == "f32" && tolerance.rtol > 0.0;
            let tolerance = if narrow { self.rule.class.narrow(self.device) } else { tolerance };
            worst = worst.max(compare::array(field, have, want, tolerance, &|_, _| false)?);
        }
        Ok(worst)
    }

    /// The positions of the entries that are not null.
    fn present(&self, field: &str) -> Vec<usize> {
        let list = self.case[field].as_array().into_iter().flatten();
        list.enumerate().filter(|(_, x)| !x.is_null()).map(|(i, _)| i).collect()
    }

    /// The case as a function of the operands at `vary`, giving the results at `keep`.
    fn restricted(
        &self,
        vary: Vec<usize>,
        keep: Vec<usize>,
    ) -> Result<impl Fn(Vec<Array>) -> Vec<Array> + use<>, String> {
        let (compute, inputs) = (self.rule.compute.clone(), self.inputs(None)?);
        Ok(move |x: Vec<Array>| {
            let mut all = inputs.clone();
            vary.iter().zip(x).for_each(|(&i, x)| all[i] = x);
            let outputs = compute(&all);
            keep.iter().map(|&i| outputs[i].clone()).collect()
        })
    }

    fn at(&self, field: &str, places: &[usize]) -> Result<Vec<Array>, String> {
        let read = |&i: &usize| array(&self.case[field][i], None).ok_or(format!("bad {field}"));
        places.iter().map(read).collect()
    }

    fn check(&self, field: &str, have: &[Array], at: &[usize], loose: bool) -> Result<(), String> {
        let mut tolerance = self.rule.class.derivative();
        if loose {
            tolerance = within(1e-7, 1e-7);
        }
        for (have, &i) in have.iter().zip(at) {
            let want = &self.case[field][i];
            compare::array(field, have, want, tolerance, &self.skip(want))?;
        }
        Ok(())
    }

    fn tangents(&self) -> Result<(), String> {
        let (vary, keep) = (self.present("tan"), self.present("jvp"));
        if vary.is_empty() || keep.is_empty() {
            return Ok(());
        }
        let f = self.restricted(vary.clone(), keep.clone())?;
        let point = (self.at("inputs", &vary)?, self.at("tan", &vary)?);
        let run = jit_on(self.device, move |(x, t): (Vec<Array>, Vec<Array>)| jvp(&f, x, t).1);
        self.check("jvp", &run(point), &keep, false)
    }

    fn cotangents(&self) -> Result<(), String> {
        let (vary, keep) = (self.present("vjp"), self.present("cot"));
        if vary.is_empty() || keep.is_empty() {
            return Ok(());
        }
        let f = self.restricted(vary.clone(), keep.clone())?;
        let point = (self.at("inputs", &vary)?, self.at("cot", &keep)?);
        let run = jit_on(self.device, move |(x, c): (Vec<Array>, Vec<Array>)| vjp(&f, x).1(c));
        self.check("vjp", &run(point), &vary, false)
    }

    fn derivatives(&self) -> Result<(), String> {
        if self.case.get("d1").is_none() {
            return Ok(());
        }
        let f = self.restricted(vec![0], vec![0])?;
        let first = move |x: Array| vjp(|x| f(vec![x]), x.clone()).1(vec![ones_like(&x)]);
        let both = move |x: Array| {
            let d1 = first(x.clone());
            (d1.clone(), grad(|x| first(x).sum())(x))
        };
        let x = self.at("inputs", &[0])?.remove(0);
        let (d1, d2) = jit_on(self.device, both)(x);
        let one = |field: &str, have: &Array, tolerance| {
            let want = self.case[field].get(0).unwrap_or(&self.case[field]);
            compare::array(field, have, want, tolerance, &self.skip(want)).map(|_| ())
        };
        one("d1", &d1, self.rule.class.derivative())?;
        if self.case.get("d2").is_some_and(|d| !d.is_null()) {
            one("d2", &d2, within(1e-7, 1e-7))?;
        }
        Ok(())
    }
}
