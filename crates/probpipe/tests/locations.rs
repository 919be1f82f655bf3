//! Whatever records an operation for the user records it at the user's line, so that every message
//! can name one.

use probpipe::bijectors::{Affine, Bijector, Exp};
use probpipe::graph::{Graph, Op, raw_graph_of};
use probpipe::prelude::*;
use probpipe::{
    Autoregressive, Bandwidth, Empirical, GaussianProcess, HiddenMarkovModel, Kde, Kernel,
    Sequential, Transformed, Truncated, linearize, uniform_range,
};

/// Where the equations of a graph, and of those inside it, were written.
fn places(graph: &Graph, into: &mut Vec<String>) {
    for eqn in graph.eqns() {
        into.push(format!("{} of `{}`", eqn.location, eqn.op.name()));
        match &eqn.op {
            Op::Call { graph, .. } => places(graph, into),
            Op::Scan(scan) => places(&scan.body, into),
            Op::Checkpoint { graph } => places(graph, into),
            Op::Custom(custom) => places(&custom.graph, into),
            _ => {}
        }
    }
}

#[test]
fn operations_are_located_in_the_users_source() {
    #[track_caller]
    fn check<R: Tree>(f: impl Fn(Array) -> R) {
        let graph = raw_graph_of(f, &array([0.5, 0.25])).unwrap();
        let mut all = Vec::new();
        places(&graph, &mut all);
        let foreign: Vec<_> = all.iter().filter(|p| !p.starts_with(file!())).collect();
        assert!(!all.is_empty() && foreign.is_empty(), "{foreign:#?}");
    }
    check(|x| x.permute([0]).sum_axes([0]) + x.mean() + x.max() + x.logaddexp(1.0).prod());
    check(|x| x.pow(3).pow(0.5).pow(&x).powi(-2).sigmoid().clip(0.0, 1.0));
    check(|x| select(&x.is_nan(), 0.0, &x).outer(&x).cholesky());
    check(|x| stack(&[x.clone(), x.clone()], 1).matmul(&x).pad([1], [1], 0.0).flip(0));
    check(|x| x.expand_dims(0).squeeze(0).broadcast_to([3, 2]).move_axis(0, 1).flatten());
    check(|x| linspace(0.0, 1.0, 5).sum() + full([2], 3.0) + ones_like(&x) + where_(x.gt(0), x, 1));
    check(|x| x.cast(DType::U32).at(0).cast(DType::I32));
    check(|x| {
        let (a, b) = Key::from_seed(x.at(0).cast(DType::I32)).split();
        let keys = a.fold_in(3).split_n(3);
        let draws: Vec<Array> = keys.into_iter().map(|key| normal(key, [2, 3])).collect();
        (draws, uniform_range(b, [3, 1], 1.0, 2.0))
    });
    for layout in [RandomLayout::Partitionable, RandomLayout::Original] {
        check(|x| {
            let key = || Key::from_seed(x.at(0).cast(DType::I32)).with_layout(layout);
            (key().bits(8, [3]), key().bits(16, [2]), key().bits(64, [3]), key().split_batch(3))
        });
    }
    check(|x| Normal::new(&x, x.exp()).log_prob(&x) + Normal::new(&x, 1.0).sample(Key::new(0), ()));
    check(|x| {
        let mvn = MultivariateNormal::new(&x, x.outer(&x));
        (mvn.log_prob(&ones([3, 2])), mvn.sample(Key::new(0), [3]))
    });
    check(|x| {
        let joint =
            product((Normal::new(&x, 1.0).named("a"), Normal::new(x.sum(), 1.0).named("b")));
        let flat = joint.as_flat_distribution();
        let draw = joint.sample(Key::new(0), ());
        (joint.log_prob(&draw), flat.log_prob(&flat.sample(Key::new(1), [2])), draw)
    });
    check(|x| {
        let cut = Truncated::new(Normal::new(&x, 1.0), 20.0, x.sum() + 30.0);
        let turned = Transformed::new(cut.clone(), Affine::new(0.0, &x).then(Exp));
        let points = (cut.log_prob(&x), cut.sample(Key::new(0), [2]), cut.cdf(&x), cut.mean());
        (points, turned.survival(&x), turned.median(), turned.log_prob(&x))
    });
    check(|x| {
        let joint = Sequential::new(x.clone())
            .then("a", |x: &Array, _: &Record| Normal::new(x.sum(), 1.0))
            .then("b", |_: &Array, r: &Record| Normal::new(r["a"].broadcast_to([2]), 1.0));
        let flat = joint.as_flat_distribution();
        let (one, many) = (joint.sample(Key::new(0), ()), joint.sample(Key::new(0), [3]));
        let densities = (joint.log_prob(&one), joint.log_prob(&many));
        (densities, flat.log_prob(&flat.sample(Key::new(1), [2])), one, many)
    });
    check(|x| {
        let e = Empirical::weighted(x.clone(), x.clone());
        let kde = Kde::of_empirical(&e, Bandwidth::Scott);
        let of_points = (e.sample(Key::new(0), [2]), e.median(), e.mean(), e.log_prob(&x));
        let plane = Kde::new(stack([x.clone(), x.exp(), x.square()], 0), Bandwidth::Silverman);
        let mean = kde.expectation(|y| y.square() * &x, Key::new(0), 10).value;
        let smooth = (kde.sample(Key::new(0), [2]), kde.median(), kde.survival(&x), mean);
        (of_points, smooth, plane.log_prob(&x), plane.cov())
    });
    check(|x| {
        let n = MultivariateNormal::new(&x, x.outer(&x) + eye(2))
            .conditional([1], &x.slice_axis(0, 0..1));
        let kernel = Kernel::rbf(1.0, x.sum()) + Kernel::periodic(1.0, 1.0, x.sum());
        let gp = GaussianProcess::new(kernel).with_noise(x.sum());
        let after = gp.condition(&x, &x);
        let series = Autoregressive::new(&x, 1.0, 4).after(&x);
        let hidden = HiddenMarkovModel::new(&x, x.outer(&x), Normal::new(&x, 1.0), 3);
        let states = (hidden.log_prob(&ones([3])), hidden.posterior_marginals(&ones([3])));
        let draws = (hidden.sample(Key::new(0), [2]), series.sample(Key::new(0), [2]), n.mean());
        let modes = (hidden.posterior_mode(&ones([3])), hidden.variance(), series.cov());
        (states, draws, modes, after.observed(&x).log_prob(&x), series.log_prob(&ones([4])))
    });
    check(grad(|x: Array| x.square().sum()));
    check(|x| grad(|(a, _): (Array, Array)| (a * 2.0).sum())((x.clone(), x)));
    check(value_and_grad(|_: Array| array(1.0)));
    check(vmap(|x: Array| (x.sin(), array(1.0))));
    check(|x| vmap_axes(|(x, y): (Array, Array)| x * y, (0, ()), 1)((x.clone(), x)));
    check(|x| jvp(|x: Array| (x.exp(), array(1.0)), x.clone(), x));
    check(|x| {
        let (y, tangent) = linearize(|x: Array| (x.exp(), array(1.0) + 1.0), x.clone());
        (y, tangent(x))
    });
    check(|x| {
        let (y, pull) = vjp(|x: Array| x.exp(), x.clone());
        (y, pull(x))
    });
    check(jacfwd(|x: Array| x.exp()));
    check(jacrev(|x: Array| x.exp()));
    check(hessian(|x: Array| x.exp().sum()));
    check(jit(|x: Array| {
        fori_loop(3, (x, 1.0.into()), |i, (x, y): (Array, Array)| (x + i.cast(DType::F32), y))
    }));
    check(|x| {
        let sums = scan(array(0.0), x.clone(), |c, x| (&c + x, c)).1;
        (sums, scan_reverse(x, arange(2), |c, i| (c, i)).1)
    });
    check(grad(|x: Array| scan(array(1.0), x, |c, x| (c * x.sin(), ())).0));
    check(|x| tree_map(|a, b| a + b, (x.clone(), x.exp()), (x.clone(), x)));
}

#[test]
fn extents_of_what_was_refused() {
    /// Asks for extents of a product that is refused, and loops over them.
    fn total((x, w): (Array, Array)) -> Array {
        let product = x.matmul(&w);
        (0..product.shape()[0] as isize).fold(array(0.0), |sum, i| sum + product.at(i).sum())
    }
    let shapes = || (ones([2, 3]), ones([2, 3]));
    for result in [jit(total)(shapes()), vmap(total)((ones([4, 2, 3]), ones([4, 2, 3])))] {
        let error = result.checked().unwrap_err().to_string();
        assert!(error.starts_with("`matmul` cannot multiply f32[2,3] with f32[2,3]"), "{error}");
    }
    let (gradient, _) = grad(total)(shapes());
    assert!(gradient.error().is_some_and(|e| e.message().contains("matmul")));
}

#[test]
fn an_operation_passed_as_a_function() {
    let factors: Vec<Array> = [ones([2, 3])].iter().map(Array::cholesky).collect();
    let told = factors[0].error().unwrap();
    assert_eq!(told.location(), None);
    let told = told.to_string();
    assert!(!told.contains("library/core") && told.contains(".map(Array::cholesky)"), "{told}");
    // What called it knows a line of the user's.
    let line = line!() + 1;
    let f = jit(|x: Array| [x].iter().map(Array::cholesky).next().unwrap_or_else(|| array(0.0)));
    let error = f(ones([2, 3])).checked().unwrap_err();
    assert!(error.location().is_some_and(|at| at.line() >= line), "{error}");
}
