//! Single operations: values in both float types, tangents, cotangents, first and second
//! derivatives, each against the reference. Rules are in files by family.

mod creation;
mod elementwise;
mod indexing;
mod linalg;
mod ordered;
mod pairs;
mod products;
mod promotion;
mod reductions;
mod shape;

use crate::attrs::Attrs;
use crate::compare::{self, EXACT, Miss, Tolerance, within};
use crate::conventions::{self, Skipped};
use crate::report::{Verdict, Worst, has_double};
use probpipe::{Array, DType, Device, grad, jit_on, jvp, ones_like, vjp, with_default_float};
use probpipe_testing::reference::{array, dtype, number};
use serde_json::Value as Json;
use std::cell::RefCell;
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
fn whole(attrs: &Attrs, name: &str) -> Option<isize> {
    attrs.whole(name)
}

/// The rule for a case, by operation and attributes.
fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    let operands = attrs.operands();
    if operands == 0 {
        return creation::find(op, attrs.expression());
    }
    let found = match operands {
        1 => elementwise::find(op, attrs),
        2 => pairs::find(op, attrs),
        _ => None,
    };
    let found = found
        .or_else(|| reductions::find(op, attrs))
        .or_else(|| ordered::find(op, attrs))
        .or_else(|| indexing::find(op, attrs))
        .or_else(|| shape::find(op, attrs))
        .or_else(|| products::find(op, attrs))
        .or_else(|| linalg::find(op, attrs));
    found.filter(|_| attrs.unread().is_none())
}

/// An element type among the operands or results of a case that this library does not have.
fn foreign_type(case: &Json) -> Option<String> {
    let arrays = case["inputs"].as_array().into_iter().chain(case["out"].as_array()).flatten();
    let mut names = arrays.map(|array| &array["dtype"]);
    names.find(|name| dtype(name).is_none()).map(|name| name.as_str().unwrap_or("?").to_string())
}

/// Runs one case; notes in `skipped` what was not compared.
pub fn run(case: &Json, device: Device, skipped: &mut Skipped) -> Verdict {
    let op = case["op"].as_str().unwrap_or("?").to_string();
    if let Some(foreign) = foreign_type(case) {
        return Verdict::ForeignType(foreign);
    }
    if op == "promote" {
        return promotion::run(case);
    }
    // Only values can be narrowed for a device without wide floats.
    let of_bits = op == "bitcast"
        && case["inputs"].as_array().into_iter().flatten().any(|x| x["dtype"] == "f64");
    if of_bits && !has_double(device) {
        return Verdict::NotLowered("f64".to_string());
    }
    let Some(rule) = find(&op, &Attrs::of(case)) else {
        let optional = case["attrs"]["optional"] == true;
        return if optional { Verdict::Optional(op) } else { Verdict::NoRule(op) };
    };
    let run = Run { case, op: &op, device, rule, of_bits, skipped: RefCell::default() };
    let verdict = match run.all() {
        Ok(worst) => Verdict::Passed(worst),
        Err(miss) => miss.into(),
    };
    for (reason, count) in run.skipped.take() {
        *skipped.entry(reason).or_default() += count;
    }
    verdict
}

struct Run<'a> {
    case: &'a Json,
    op: &'a str,
    device: Device,
    rule: Rule,
    /// Of the bits of wide floats, which narrow ones do not have.
    of_bits: bool,
    skipped: RefCell<Skipped>,
}

impl Run<'_> {
    fn all(&self) -> Result<Worst, Miss> {
        let mut worst = Worst::default();
        if has_double(self.device) {
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
            } else if self.device == Device::Gpu && !self.of_bits {
                self.values("out", Some(DType::F32), tolerance)
            } else {
                Ok(Worst::default())
            }
        };
        Ok(worst.and(with_default_float(DType::F32, narrow)?))
    }

    fn inputs(&self, float: Option<DType>) -> Result<Vec<Array>, Miss> {
        let list = self.case["inputs"].as_array().ok_or("no inputs")?;
        list.iter().map(|x| array(x, float).ok_or("unreadable input".into())).collect()
    }

    /// Whether an element is left out: a convention that is not ours; and in edge cases, which
    /// hold singular points, a derivative that is no number, or at an argument which is none.
    fn skip(&self, derivatives: bool, want: &Json) -> impl Fn(usize, f64) -> bool {
        let edge = self.case["edge"] == true;
        let same = |x: &&Json| x["shape"] == want["shape"];
        let inputs: Vec<Json> =
            self.case["inputs"].as_array().into_iter().flatten().filter(same).cloned().collect();
        move |i, v| {
            if !edge {
                return false;
            }
            let x: Vec<f64> = inputs.iter().map(|x| number(&x["data"][i])).collect();
            if derivatives && (!v.is_finite() || x.iter().any(|x| !x.is_finite())) {
                return true;
            }
            let reason = conventions::find(self.op, derivatives, &x, v);
            if let Some(reason) = reason {
                *self.skipped.borrow_mut().entry(reason).or_default() += 1;
            }
            reason.is_some()
        }
    }

    fn values(
        &self,
        field: &str,
        float: Option<DType>,
        tolerance: Tolerance,
    ) -> Result<Worst, Miss> {
        let compute = self.rule.compute.clone();
        let outputs = jit_on(self.device, move |x: Vec<Array>| compute(&x))(self.inputs(float)?);
        let wanted = self.case[field].as_array().ok_or("no results")?;
        if let Some(missing) = outputs.iter().find(|o| o.error().is_some()) {
            compare::elements(missing)?;
        }
        if wanted.len() != outputs.len() {
            return Err(format!("{field}: {} results, not {}", outputs.len(), wanted.len()).into());
        }
        let mut worst = Worst::default();
        for (i, (have, want)) in outputs.iter().zip(wanted).enumerate() {
            let narrow = want["dtype"] == "f32" && tolerance.relative > 0.0;
            let tolerance = if narrow { self.rule.class.narrow(self.device) } else { tolerance };
            let exact = Some(&self.case["out"][i]).filter(|_| field == "out_f32");
            let skip = self.skip(false, want);
            let error = compare::array(field, have, want, exact, tolerance, &skip)?;
            if have.dtype().is_float() {
                worst = worst.and(Worst::of(narrow || have.dtype() == DType::F32, error));
            }
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
    ) -> Result<impl Fn(Vec<Array>) -> Vec<Array> + use<>, Miss> {
        let (compute, inputs) = (self.rule.compute.clone(), self.inputs(None)?);
        Ok(move |x: Vec<Array>| {
            let mut all = inputs.clone();
            vary.iter().zip(x).for_each(|(&i, x)| all[i] = x);
            let outputs = compute(&all);
            keep.iter().map(|&i| outputs[i].clone()).collect()
        })
    }

    fn at(&self, field: &str, places: &[usize]) -> Result<Vec<Array>, Miss> {
        let read =
            |&i: &usize| array(&self.case[field][i], None).ok_or(format!("bad {field}").into());
        places.iter().map(read).collect()
    }

    fn check(&self, field: &str, have: &[Array], at: &[usize], loose: bool) -> Result<(), Miss> {
        let mut tolerance = self.rule.class.derivative();
        if loose {
            tolerance = within(1e-7, 1e-7);
        }
        for (have, &i) in have.iter().zip(at) {
            let want = &self.case[field][i];
            compare::array(field, have, want, None, tolerance, &self.skip(true, want))?;
        }
        Ok(())
    }

    fn tangents(&self) -> Result<(), Miss> {
        let (vary, keep) = (self.present("tan"), self.present("jvp"));
        if vary.is_empty() || keep.is_empty() {
            return Ok(());
        }
        let f = self.restricted(vary.clone(), keep.clone())?;
        let point = (self.at("inputs", &vary)?, self.at("tan", &vary)?);
        let run = jit_on(self.device, move |(x, t): (Vec<Array>, Vec<Array>)| jvp(&f, x, t).1);
        self.check("jvp", &run(point), &keep, false)
    }

    fn cotangents(&self) -> Result<(), Miss> {
        let (vary, keep) = (self.present("vjp"), self.present("cot"));
        if vary.is_empty() || keep.is_empty() {
            return Ok(());
        }
        let f = self.restricted(vary.clone(), keep.clone())?;
        let point = (self.at("inputs", &vary)?, self.at("cot", &keep)?);
        let run = jit_on(self.device, move |(x, c): (Vec<Array>, Vec<Array>)| vjp(&f, x).1(c));
        self.check("vjp", &run(point), &vary, false)
    }

    fn derivatives(&self) -> Result<(), Miss> {
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
            compare::array(field, have, want, None, tolerance, &self.skip(true, want)).map(|_| ())
        };
        one("d1", &d1, self.rule.class.derivative())?;
        if self.case.get("d2").is_some_and(|d| !d.is_null()) {
            one("d2", &d2, within(1e-7, 1e-7))?;
        }
        Ok(())
    }
}
