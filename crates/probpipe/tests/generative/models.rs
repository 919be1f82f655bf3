//! Random models: sequences, lanes, loops, branches and mixtures in each other, of a number that
//! comes in and one that goes out.

use probpipe::generative::{Source, Subtrace};
use probpipe::prelude::*;
use std::rc::Rc;

/// A generative function from a number to a number.
#[derive(Clone, Debug)]
pub enum Model {
    /// A choice around the number, of a family.
    Choice(u64),
    /// A choice of a coin, one that depends on it, and a factor of that.
    Coin,
    /// One after another, at addresses of a loop.
    Row(Vec<Rc<Model>>),
    /// The sum of runs of the same.
    Repeat(Rc<Model>, usize),
    /// The sum of runs on other numbers.
    Mapped(Rc<Model>, usize),
    /// A loop that hands the number on.
    Unfold(Rc<Model>, usize),
    /// A loop over numbers.
    Scan(Rc<Model>, usize),
    /// One of two by the sign of the number.
    Switch(Rc<Model>, Rc<Model>),
    /// One or nothing by the sign of the number.
    Masked(Rc<Model>),
    /// One of two by a choice.
    Mixture(Rc<Model>, Rc<Model>),
}

/// Numbers that are as random as need be.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1))
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

impl Model {
    pub fn random(dice: &mut Dice, depth: usize) -> Model {
        if depth == 0 {
            return match dice.below(5) {
                0 => Model::Coin,
                family => Model::Choice(family - 1),
            };
        }
        let n = 2 + dice.below(2) as usize;
        let kind = dice.below(9);
        let mut part = || Rc::new(Model::random(dice, depth - 1));
        match kind {
            0..3 => Model::Row((0..n).map(|_| part()).collect()),
            3 => Model::Repeat(part(), n),
            4 => Model::Mapped(part(), n),
            5 => Model::Unfold(part(), n),
            6 => Model::Scan(part(), n),
            7 => Model::Switch(part(), part()),
            _ => match n {
                2 => Model::Masked(part()),
                _ => Model::Mixture(part(), part()),
            },
        }
    }

    /// Whether choices decide which branch is taken.
    pub fn branches(&self) -> bool {
        match self {
            Model::Choice(_) | Model::Coin => false,
            Model::Row(parts) => parts.iter().any(|part| part.branches()),
            Model::Repeat(part, _)
            | Model::Mapped(part, _)
            | Model::Unfold(part, _)
            | Model::Scan(part, _) => part.branches(),
            Model::Switch(..) | Model::Masked(_) | Model::Mixture(..) => true,
        }
    }
}

/// The second of two branches. What branches share must be alike: all but choices go by another
/// address in the second one.
fn apart(first: &Rc<Model>, second: &Rc<Model>) -> Part {
    let single = |model: &Model| matches!(model, Model::Choice(_) | Model::Coin);
    match single(first) && single(second) {
        true => Part(second.clone()),
        false => Part(Rc::new(Model::Row(vec![Rc::new(Model::Row(vec![second.clone()]))]))),
    }
}

/// A model as a part of another.
#[derive(Clone)]
struct Part(Rc<Model>);

impl GenerativeFunction for Part {
    type Args = Array;
    type Value = Array;

    #[track_caller]
    fn trace(&self, source: Source, x: Array) -> (Subtrace, Array) {
        self.0.trace(source, x)
    }
}

impl GenerativeFunction for Model {
    type Args = Array;
    type Value = Array;

    #[track_caller]
    fn trace(&self, source: Source, x: Array) -> (Subtrace, Array) {
        let part = |model: &Rc<Model>| Part(model.clone());
        match self {
            Model::Choice(family) => generative(|t: &mut Choices, x: Array| match family {
                0 => t.sample("n", Normal::new(x, 1.5)),
                1 => t.sample("l", Laplace::new(x * 0.5, 0.7)),
                2 => t.sample("e", Exponential::new(1.0 + x.square())),
                _ => t.sample("v", Normal::new(stack(&[&x, &-&x], 0), 2.0)).sum(),
            })
            .trace(source, x),
            Model::Coin => generative(|t: &mut Choices, x: Array| {
                let coin = t.sample("coin", Bernoulli::new(x.sigmoid() * 0.8 + 0.1));
                let n = t.sample("n", Normal::new(&x + coin.cast(x.dtype()), 1.0));
                t.factor("pull", n.square() * -0.1 - x);
                n
            })
            .trace(source, x),
            Model::Row(parts) => generative(|t: &mut Choices, mut x: Array| {
                for (i, model) in parts.iter().enumerate() {
                    x = t.call(("part", i), part(model), &x * 0.5) + 0.1;
                }
                x
            })
            .trace(source, x),
            Model::Repeat(model, n) => {
                let runs = part(model).repeat(*n);
                generative(|t: &mut Choices, x: Array| t.call("runs", runs.clone(), x).mean())
                    .trace(source, x)
            }
            Model::Mapped(model, n) => {
                let runs = part(model).mapped(0);
                generative(|t: &mut Choices, x: Array| {
                    t.call("lanes", runs.clone(), linspace(-1.0, 1.0, *n) + x).mean()
                })
                .trace(source, x)
            }
            Model::Unfold(model, n) => {
                let steps = part(model).unfold(*n);
                generative(|t: &mut Choices, x: Array| t.call("steps", steps.clone(), x).at(-1))
                    .trace(source, x)
            }
            Model::Scan(model, n) => {
                let model = part(model);
                let step = generative(move |t: &mut Choices, z: Array, x: Array| {
                    let z = t.call("step", model.clone(), z * 0.5 + x);
                    (z.clone(), z)
                });
                let steps = step.scan();
                generative(|t: &mut Choices, x: Array| {
                    let (last, all) = t.call("scan", steps.clone(), (x, linspace(0.0, 1.0, *n)));
                    last + all.mean()
                })
                .trace(source, x)
            }
            Model::Switch(a, b) => {
                let either = (part(a), apart(a, b)).switch();
                generative(|t: &mut Choices, x: Array| {
                    t.call("either", either.clone(), (x.gt(0.0).cast(DType::I32), x))
                })
                .trace(source, x)
            }
            Model::Masked(a) => {
                let some = part(a).masked();
                generative(|t: &mut Choices, x: Array| t.call("some", some.clone(), (x.gt(0.0), x)))
                    .trace(source, x)
            }
            Model::Mixture(a, b) => {
                let mix = [part(a), apart(a, b)].mixture();
                generative(|t: &mut Choices, x: Array| {
                    t.call("mix", mix.clone(), (stack(&[&x, &-&x], 0), x))
                })
                .trace(source, x)
            }
        }
    }
}
