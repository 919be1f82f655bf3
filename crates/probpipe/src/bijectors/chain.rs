//! Bijectors made of others: one after another, and backwards.

use super::Bijector;
use super::events::sum_last;
use crate::constraints::Constraint;
use probpipe_trace::{Array, Result, Shape, Tree};

/// One bijector, then another; see [`Bijector::then`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Chain<A, B> {
    first: A,
    second: B,
}

impl<A: Bijector, B: Bijector> Chain<A, B> {
    pub(super) fn new(first: A, second: B) -> Chain<A, B> {
        Chain { first, second }
    }

    /// How many axes make an event before, between and after.
    fn ranks(&self) -> (usize, usize, usize) {
        let (a, b) = self.first.event_ranks();
        let (c, d) = self.second.event_ranks();
        let between = b.max(c);
        (between - b + a, between, between - c + d)
    }
}

impl<A: Bijector, B: Bijector> Bijector for Chain<A, B> {
    fn forward(&self, x: &Array) -> Array {
        self.second.forward(&self.first.forward(x))
    }

    fn inverse(&self, y: &Array) -> Array {
        self.first.inverse(&self.second.inverse(y))
    }

    /// The sum of both, each over the axes that are a part of an event only of the other.
    fn log_det(&self, x: &Array) -> Array {
        let (_, between, _) = self.ranks();
        let (first, second) = (self.first.event_ranks().1, self.second.event_ranks().0);
        let middle = self.first.forward(x);
        sum_last(self.first.log_det(x), between - first)
            + sum_last(self.second.log_det(&middle), between - second)
    }

    fn domain(&self) -> Constraint {
        self.first.domain()
    }

    fn codomain(&self) -> Constraint {
        self.second.image(&self.first.codomain())
    }

    fn image(&self, of: &Constraint) -> Constraint {
        self.second.image(&self.first.image(of))
    }

    fn event_ranks(&self) -> (usize, usize) {
        let (before, _, after) = self.ranks();
        (before, after)
    }

    fn direction(&self) -> Option<Array> {
        Some(self.first.direction()? * self.second.direction()?)
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.second.forward_shape(&self.first.forward_shape(shape)?)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.first.inverse_shape(&self.second.inverse_shape(shape)?)
    }
}

/// A bijector run backwards; see [`Bijector::inverted`].
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Inverted<B> {
    bijector: B,
}

impl<B: Bijector> Inverted<B> {
    pub(super) fn new(bijector: B) -> Inverted<B> {
        Inverted { bijector }
    }
}

impl<B: Bijector> Bijector for Inverted<B> {
    fn forward(&self, x: &Array) -> Array {
        self.bijector.inverse(x)
    }

    fn inverse(&self, y: &Array) -> Array {
        self.bijector.forward(y)
    }

    fn log_det(&self, x: &Array) -> Array {
        -self.bijector.log_det(&self.bijector.inverse(x))
    }

    fn domain(&self) -> Constraint {
        self.bijector.codomain()
    }

    fn codomain(&self) -> Constraint {
        self.bijector.domain()
    }

    fn event_ranks(&self) -> (usize, usize) {
        let (before, after) = self.bijector.event_ranks();
        (after, before)
    }

    fn direction(&self) -> Option<Array> {
        self.bijector.direction()
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.bijector.inverse_shape(shape)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.bijector.forward_shape(shape)
    }
}
