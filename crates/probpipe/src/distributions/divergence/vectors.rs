//! Divergences between distributions of vectors, and between independent copies.

use crate::distributions::shapes::join;
use crate::distributions::{
    Categorical, Dirichlet, Distribution, Independent, KlDivergence, MultivariateNormal, Normal,
    OneHotCategorical,
};
use probpipe_trace::{
    Array, Error, ErrorKind, ShapeDisplay, broadcast_shapes, eye, here, with_location,
};

impl KlDivergence<Dirichlet> for Dirichlet {
    /// `log B(b) - log B(a) + sum((a - b) (digamma(a) - digamma(sum a)))`.
    fn kl_divergence(&self, q: &Dirichlet) -> Array {
        let (a, b) = (self.concentration(), q.concentration());
        let total = a.sum_axes([-1]);
        let log_beta = |a: &Array| a.lgamma().sum_axes([-1]) - a.sum_axes([-1]).lgamma();
        let apart = a - b;
        let each = (&apart * a.digamma()).sum_axes([-1]);
        log_beta(b) - log_beta(a) + each - apart.sum_axes([-1]) * total.digamma()
    }
}

impl KlDivergence for OneHotCategorical {
    fn kl_divergence(&self, q: &OneHotCategorical) -> Array {
        Categorical::new(self.probs()).kl_divergence(&Categorical::new(q.probs()))
    }
}

impl KlDivergence<MultivariateNormal> for MultivariateNormal {
    /// `(|M^-1 L|^2 + |M^-1 (m - n)|^2 - d) / 2 + log |M| - log |L|` of factors `L` and `M`.
    fn kl_divergence(&self, q: &MultivariateNormal) -> Array {
        let (l, m) = (self.scale_tril().tril(), q.scale_tril().tril());
        let apart = (self.loc() - q.loc()).expand_dims(-1);
        if let Some(error) = l.error().or(m.error()).or(apart.error()) {
            return Array::invalid(error.clone(), apart.location());
        }
        let d = self.event_shape()[0];
        let lead = |x: &Array| x.shape()[..x.rank() - 2].to_vec();
        let batch = broadcast_shapes(&lead(&l), &lead(&m))
            .and_then(|both| broadcast_shapes(&both, &lead(&apart)))
            .unwrap_or_default();
        let spread = |x: &Array| {
            let columns = x.shape()[x.rank() - 1];
            x.broadcast_to(join(&batch, &[d, columns]))
        };
        let m_all = spread(&m);
        let turned = m_all.solve_triangular(spread(&l)).square().sum_axes([-2, -1]);
        let moved = m_all.solve_triangular(spread(&apart)).square().sum_axes([-2, -1]);
        let volume = |x: &Array| x.diagonal().log().sum_axes([-1]);
        (turned + moved - d as f64) * 0.5 + (volume(&m) - volume(&l))
    }
}

impl<P, Q> KlDivergence<Independent<Q>> for Independent<P>
where
    P: KlDivergence<Q> + Distribution<Value = Array>,
    Q: Distribution<Value = Array>,
{
    /// The sum over the copies, of which both must have as many.
    fn kl_divergence(&self, q: &Independent<Q>) -> Array {
        if let Some(error) = other_event(self, q) {
            return error;
        }
        let rank = self.event_shape().len() - self.base().event_shape().len();
        let each = self.base().kl_divergence(q.base());
        if rank == 0 || each.error().is_some() {
            return each;
        }
        each.sum_axes((1..=rank as isize).map(|axis| -axis).collect::<Vec<_>>())
    }
}

/// The error of distributions whose events are of different shapes.
#[track_caller]
pub(super) fn other_event<P, Q>(p: &P, q: &Q) -> Option<Array>
where
    P: Distribution<Value = Array>,
    Q: Distribution<Value = Array>,
{
    let (of_p, of_q) = (p.event_shape(), q.event_shape());
    if of_p == of_q {
        return None;
    }
    let message = format!(
        "there is no divergence of a distribution with events of shape {} from one with events of \
         shape {}",
        ShapeDisplay(&of_p),
        ShapeDisplay(&of_q)
    );
    let error = Error::new(ErrorKind::Shape, message).help("both must be of the same vectors");
    Some(Array::invalid(error, here()))
}

/// Independent normal numbers as a normal vector.
#[track_caller]
fn vector(of: &Independent<Normal>) -> MultivariateNormal {
    let shape = join(&of.batch_shape(), &of.event_shape());
    let (loc, scale) = (of.base().loc(), of.base().scale());
    if let Some(wrong) = [loc, scale].into_iter().find(|p| p.error().is_some()) {
        return MultivariateNormal::from_scale_tril(wrong, wrong);
    }
    let scale = scale.broadcast_to(&shape);
    let factor = scale.expand_dims(-1) * eye(shape[shape.len() - 1]);
    MultivariateNormal::from_scale_tril(loc.broadcast_to(&shape), factor)
}

macro_rules! as_vectors {
    ($($p:ty, $q:ty: |$a:ident, $b:ident| $vectors:expr;)+) => {$(
        impl KlDivergence<$q> for $p {
            /// That of the normal vectors.
            fn kl_divergence(&self, q: &$q) -> Array {
                if let Some(error) = other_event(self, q) {
                    return error;
                }
                let ($a, $b) = (self, q);
                with_location(here(), || {
                    let (p, q) = $vectors;
                    p.kl_divergence(&q)
                })
            }
        }
    )+};
}

as_vectors! {
    Independent<Normal>, MultivariateNormal: |p, q| (vector(p), q.clone());
    MultivariateNormal, Independent<Normal>: |p, q| (p.clone(), vector(q));
}
