//! Data sets with certified answers, from the Statistical Reference Datasets of NIST: curves that
//! are fitted by least squares, linear models, and one-way analyses of variance.

use crate::Data;
use crate::reading::number;
use probpipe::{Array, DType};
use std::f64::consts::PI;
use std::fmt;

/// A curve with parameters `b` through points.
#[derive(Clone, Copy)]
pub struct Curve {
    /// The name at NIST.
    pub name: &'static str,
    text: &'static str,
    /// The values at the predictors with parameters.
    pub values: fn(b: &[Array], x: &[Array]) -> Array,
}

/// A linear model.
#[derive(Clone, Copy)]
pub struct Linear {
    /// The name at NIST.
    pub name: &'static str,
    text: &'static str,
}

/// A one-way analysis of variance.
#[derive(Clone, Copy)]
pub struct Groups {
    /// The name at NIST.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! text {
    ($name:literal) => {
        include_str!(concat!("../data/nist/", $name, ".json"))
    };
}

macro_rules! curve {
    ($name:literal, $values:expr) => {
        Curve { name: $name, text: text!($name), values: $values }
    };
}

/// All curves.
pub const CURVES: [Curve; 20] = [
    curve!("Bennett5", |b, x| &b[0] * (&b[1] + &x[0]).pow(-1.0 / &b[2])),
    curve!("BoxBOD", saturation),
    curve!("Chwirut1", chwirut),
    curve!("Chwirut2", chwirut),
    curve!("DanWood", |b, x| &b[0] * x[0].pow(&b[1])),
    curve!("ENSO", |b, x| {
        let wave = |period: Array, cos: &Array, sin: &Array| {
            let angle = &x[0] * (2.0 * PI) / period;
            cos * angle.cos() + sin * angle.sin()
        };
        &b[0]
            + wave(12.0.into(), &b[1], &b[2])
            + wave(b[3].clone(), &b[4], &b[5])
            + wave(b[6].clone(), &b[7], &b[8])
    }),
    curve!("Gauss1", gauss),
    curve!("Gauss3", gauss),
    curve!("Hahn1", |b, x| {
        let above = &b[0] + &x[0] * (&b[1] + &x[0] * (&b[2] + &x[0] * &b[3]));
        above / (1.0 + &x[0] * (&b[4] + &x[0] * (&b[5] + &x[0] * &b[6])))
    }),
    curve!("Lanczos1", lanczos),
    curve!("Lanczos2", lanczos),
    curve!("Lanczos3", lanczos),
    curve!("MGH10", |b, x| &b[0] * (&b[1] / (&x[0] + &b[2])).exp()),
    curve!("MGH17", |b, x| {
        &b[0] + &b[1] * (-&x[0] * &b[3]).exp() + &b[2] * (-&x[0] * &b[4]).exp()
    }),
    curve!("Misra1a", saturation),
    curve!("Misra1c", |b, x| &b[0] * (1.0 - (1.0 + &b[1] * &x[0] * 2.0).rsqrt())),
    curve!("Misra1d", |b, x| &b[0] * &b[1] * &x[0] / (1.0 + &b[1] * &x[0])),
    curve!("Nelson", |b, x| &b[0] - &b[1] * &x[0] * (-&b[2] * &x[1]).exp()),
    curve!("Rat42", |b, x| &b[0] / (1.0 + (&b[1] - &b[2] * &x[0]).exp())),
    curve!("Rat43", |b, x| { &b[0] / (1.0 + (&b[1] - &b[2] * &x[0]).exp()).pow(1.0 / &b[3]) }),
];

/// All linear models.
pub const LINEAR: [Linear; 2] = [
    Linear { name: "Longley", text: text!("Longley") },
    Linear { name: "Norris", text: text!("Norris") },
];

/// All analyses of variance.
pub const GROUPS: [Groups; 3] = [
    Groups { name: "AtmWtAg", text: text!("AtmWtAg") },
    Groups { name: "SiRstv", text: text!("SiRstv") },
    Groups { name: "SmLs04", text: text!("SmLs04") },
];

fn saturation(b: &[Array], x: &[Array]) -> Array {
    &b[0] * (1.0 - (-&b[1] * &x[0]).exp())
}

fn chwirut(b: &[Array], x: &[Array]) -> Array {
    (-&b[0] * &x[0]).exp() / (&b[1] + &b[2] * &x[0])
}

fn gauss(b: &[Array], x: &[Array]) -> Array {
    let bell = |height: &Array, middle: &Array, width: &Array| {
        height * (-((&x[0] - middle) / width).square()).exp()
    };
    &b[0] * (-&b[1] * &x[0]).exp() + bell(&b[2], &b[3], &b[4]) + bell(&b[5], &b[6], &b[7])
}

fn lanczos(b: &[Array], x: &[Array]) -> Array {
    let fall = |height: &Array, rate: &Array| height * (-rate * &x[0]).exp();
    fall(&b[0], &b[1]) + fall(&b[2], &b[3]) + fall(&b[4], &b[5])
}

impl Curve {
    fn data(&self) -> Data {
        Data::new(self.text)
    }

    /// Where NIST has searches begin: far away, and near.
    #[must_use]
    pub fn starts(&self) -> [Array; 2] {
        ["start1", "start2"].map(|start| self.data().floats(start))
    }

    /// The certified parameters.
    #[must_use]
    pub fn certified(&self) -> Array {
        self.data().floats("certified")
    }

    /// The certified standard deviations of the parameters.
    #[must_use]
    pub fn deviations(&self) -> Array {
        self.data().floats("certified_sd")
    }

    /// The certified sum of the squares of the residuals.
    #[must_use]
    pub fn squares(&self) -> f64 {
        number(&self.data().value()["residual_sum_of_squares"])
    }

    /// The function of the parameters `[p]` whose squares are added up.
    pub fn residuals(&self) -> impl Fn(Array) -> Array + use<> {
        let (data, values) = (self.data(), self.values);
        let two = data.value().get("x1").is_some();
        let names: &[&str] = if two { &["x1", "x2"] } else { &["x"] };
        let x: Vec<Array> = names.iter().map(|name| data.floats(name)).collect();
        let y = data.floats("y");
        let y = if data.value()["response"] == "log(y)" { y.log() } else { y };
        move |b: Array| {
            let b: Vec<Array> = (0..b.size()).map(|k| b.at(k as isize)).collect();
            values(&b, &x) - &y
        }
    }
}

impl Linear {
    /// The predictors `[n, p]` and the response `[n]`.
    #[must_use]
    pub fn data(&self) -> (Array, Array) {
        let data = Data::new(self.text);
        (data.floats("X"), data.floats("y"))
    }

    /// The certified coefficients, and their standard deviations.
    #[must_use]
    pub fn certified(&self) -> (Array, Array) {
        let data = Data::new(self.text);
        (data.floats("certified"), data.floats("certified_sd"))
    }
}

impl Groups {
    /// The groups of the numbers, one-hot, `[n, k]`, and the numbers.
    #[must_use]
    pub fn data(&self) -> (Array, Array) {
        let data = Data::new(self.text);
        let group = data.integers("group");
        let groups = group.max().item::<i32>().expect("a number") as usize;
        let member = group.expand_dims(1).eq(probpipe::arange(groups) + 1);
        (member.cast(DType::F64), data.floats("y"))
    }

    /// The certified sums of squares between groups and within, and their quotient F.
    #[must_use]
    pub fn certified(&self) -> [f64; 3] {
        let data = Data::new(self.text);
        ["ss_between", "ss_within", "F"].map(|name| number(&data.value()["certified"][name]))
    }
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
