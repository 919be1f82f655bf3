//! Small programs as a user writes them, with what they give: trees of every kind through every
//! transform, distributions as arguments, batches against loops, and double precision.

mod golden;

use golden::{assert_close, floats};
use probpipe::prelude::*;
use std::collections::BTreeMap;

/// Parameters of a straight line with noise, with a name that is no array.
#[derive(Tree, Clone, Debug)]
struct Line {
    slope: Array,
    intercepts: Vec<Array>,
    #[tree(static)]
    name: String,
}

#[derive(Tree, Clone, Debug)]
enum Link {
    Identity,
    Scaled { by: Array },
}

fn line() -> Line {
    Line { slope: array(2.0), intercepts: vec![array(0.5), array(-1.0)], name: "sea".into() }
}

fn at(line: &Line, x: &Array) -> Array {
    &line.slope * x + &line.intercepts[0] + &line.intercepts[1]
}

#[test]
fn structs_through_jit_and_grad() {
    let x = array([1.0, 2.0, 3.0]);
    let loss = |line: Line| at(&line, &x).square().sum();
    let g = jit(grad(loss))(line());
    // Residuals 1.5, 3.5, 5.5.
    assert_eq!(g.slope.item::<f32>().unwrap(), 2.0 * (1.5 + 7.0 + 16.5));
    assert_eq!(g.intercepts.len(), 2);
    assert_eq!(g.intercepts[1].item::<f32>().unwrap(), 21.0);
    assert_eq!(g.name, "sea");
    let stepped = tree_map(|p, g| p - g * 0.1, line(), g);
    assert_close("slope", &floats(&stepped.slope), &[-3.0], 1e-6, 0.0);
}

#[test]
fn enums_choose_the_program() {
    let f = jit(|(link, x): (Link, Array)| match link {
        Link::Identity => x,
        Link::Scaled { by } => x * by,
    });
    assert_eq!(f((Link::Identity, array(3.0))).item::<f32>().unwrap(), 3.0);
    assert_eq!(f((Link::Scaled { by: array(2.0) }, array(3.0))).item::<f32>().unwrap(), 6.0);
    assert_eq!(f((Link::Identity, array(4.0))).item::<f32>().unwrap(), 4.0);
}

#[test]
fn nested_tuples_and_maps() {
    type Weights = ((Array, Array), BTreeMap<String, [Array; 2]>);
    let weights: Weights = (
        (array(1.0), array([2.0, 3.0])),
        BTreeMap::from([("deep".to_string(), [array(4.0), array(5.0)])]),
    );
    let f = |((a, b), map): Weights| {
        let [c, d] = &map["deep"];
        a * b.sum() * c + d.square()
    };
    let (value, ((da, db), rest)) = jit(value_and_grad(f))(weights);
    assert_eq!(value.item::<f32>().unwrap(), 45.0);
    assert_eq!(da.item::<f32>().unwrap(), 20.0);
    assert_eq!(db.to_vec::<f32>().unwrap(), [4.0, 4.0]);
    assert_eq!(rest["deep"][0].item::<f32>().unwrap(), 5.0);
    assert_eq!(rest["deep"][1].item::<f32>().unwrap(), 10.0);
}

#[test]
fn a_step_of_descent_with_tree_map() {
    let data = array([1.0, 2.0, 6.0]);
    let step = jit(|(params, data): ((Array, Option<Array>), Array)| {
        let loss = |(a, b): (Array, Option<Array>)| match b {
            Some(b) => (&data - a - b).square().mean(),
            None => (&data - a).square().mean(),
        };
        let g = grad(loss)(params.clone());
        tree_map(|p, g| p - g * 0.25, params, g)
    });
    let (a, b) = step(((array(0.0), Some(array(0.0))), data.clone()));
    assert_eq!(a.item::<f32>().unwrap(), 1.5);
    assert_eq!(b.unwrap().item::<f32>().unwrap(), 1.5);
    let (a, b) = step(((array(0.0), None), data));
    assert_eq!(a.item::<f32>().unwrap(), 1.5);
    assert!(b.is_none());
}

#[test]
fn closures_capture_across_every_level() {
    let shift = array([1.0, 2.0]);
    let f = jit(|x: Array| {
        let twice = &x * 2.0;
        let inner = vmap(|s: Array| grad(|y: Array| (&y * &y * &s * &twice).sum())(x.clone()));
        let total = inner(shift.clone());
        fori_loop(2, total, |_, t| t + &twice)
    });
    // d/dy (y^2 s 2x) at y = x: 4 s x^2, then 4x from the loop.
    let y = f(array([1.0, 3.0]));
    assert_eq!(y.shape(), [2, 2]);
    assert_eq!(y.to_vec::<f32>().unwrap(), [8.0, 48.0, 12.0, 84.0]);
}

#[test]
fn transforms_of_borrowed_functions() {
    let n = Normal::new(2.0, 0.5);
    let score = grad(|x: Array| n.log_prob(&x));
    let scores = jit(vmap(&score));
    let slopes = vmap(grad(&score));
    assert_eq!(scores(array([2.0, 3.0])).to_vec::<f32>().unwrap(), [0.0, -4.0]);
    assert_eq!(slopes(array([2.0, 3.0])).to_vec::<f32>().unwrap(), [-4.0, -4.0]);
}

#[test]
fn records_through_jit_and_grad() {
    let joint =
        product((Normal::new(0.0, 1.0).named("mu"), Normal::new([1.0, 1.0], 0.5).named("sigma")));
    let x = Record::new([("mu", array(0.5)), ("sigma", array([1.2, 0.6]))]);
    let (log_prob, g) = jit(value_and_grad(|r: Record| joint.log_prob(&r)))(x.clone());
    assert_eq!(g.names(), ["mu", "sigma"]);
    assert_close("mu", &floats(&g["mu"]), &[-0.5], 1e-6, 0.0);
    assert_close("sigma", &floats(&g["sigma"]), &[-0.8, 1.6], 1e-6, 0.0);
    assert_close("value", &floats(&log_prob), &floats(&joint.log_prob(&x)), 1e-6, 0.0);
    let flat = joint.as_flat_distribution();
    let same = flat.log_prob(&array([0.5, 1.2, 0.6]));
    assert_close("flat", &floats(&same), &floats(&log_prob), 1e-6, 0.0);
}

#[test]
fn distributions_as_arguments_and_results() {
    let x = array([0.5, 1.5]);
    let fit = jit(|(prior, x): (Normal, Array)| {
        let precision = prior.scale().square().recip() + 2.0;
        let loc = (prior.loc() / prior.scale().square() + x.sum()) / &precision;
        Normal::new(loc, precision.sqrt().recip())
    });
    let posterior = fit((Normal::new(0.0, 1.0), x.clone()));
    assert_close("loc", &floats(posterior.loc()), &[2.0 / 3.0], 1e-6, 0.0);
    assert_close("scale", &floats(posterior.scale()), &[1.0 / 3f64.sqrt()], 1e-6, 0.0);

    let sensitivity = grad(|n: Normal| n.log_prob(&x).sum())(Normal::new(0.0, 2.0));
    assert_close("d/d loc", &floats(sensitivity.loc()), &[0.5], 1e-6, 0.0);

    let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
    let direct = mvn.log_prob(&x);
    let compiled = jit(|(d, x): (MultivariateNormal, Array)| d.log_prob(&x))((mvn, x));
    assert_close("mvn", &floats(&compiled), &floats(&direct), 1e-6, 0.0);
}

#[test]
fn a_product_as_an_argument() {
    let joint = product(vec![Normal::new(0.0, 1.0).named("a"), Normal::new(1.0, 2.0).named("b")]);
    let draw = |key: Key| joint.sample(key, [4]);
    let (eager, compiled) = (draw(Key::new(3)), jit(draw)(Key::new(3)));
    for name in ["a", "b"] {
        assert_eq!(eager[name].shape(), [4]);
        assert_close(name, &floats(&compiled[name]), &floats(&eager[name]), 1e-6, 1e-6);
    }
}

#[test]
fn batches_of_normals_are_loops_over_normals() {
    let (locs, scales) = ([-1.0, 0.0, 2.0], [0.5, 1.0]);
    let batch = Normal::new(array(locs), array([[scales[0]], [scales[1]]]));
    assert_eq!(batch.batch_shape()[..], [2, 3]);
    assert!(batch.event_shape().is_empty());
    let x = linspace(-2.0, 2.0, 5);
    let all = batch.log_prob(&x.reshape([5, 1, 1]));
    assert_eq!(all.shape(), [5, 2, 3]);
    for (i, scale) in scales.iter().enumerate() {
        for (j, loc) in locs.iter().enumerate() {
            let one = floats(&Normal::new(*loc, *scale).log_prob(&x));
            let part = floats(&all.at_axis(1, i as isize).at_axis(1, j as isize));
            assert_close("log_prob", &part, &one, 1e-6, 0.0);
        }
    }
    let draws = batch.sample(Key::new(0), [7]);
    assert_eq!(draws.shape(), [7, 2, 3]);
    let standard = normal(Key::new(0), [7, 2, 3]);
    let moved = &standard * array([[0.5], [1.0]]) + array(locs);
    assert_eq!(floats(&draws), floats(&moved));
}

#[test]
fn batches_of_multivariate_normals_are_loops_over_them() {
    let locs = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]];
    let covariances =
        [[[1.0, 0.3], [0.3, 2.0]], [[2.0, 0.0], [0.0, 1.0]], [[1.0, -0.6], [-0.6, 1.0]]];
    let batch = MultivariateNormal::new(array(locs), array(covariances));
    assert_eq!((&batch.batch_shape()[..], &batch.event_shape()[..]), (&[3][..], &[2][..]));
    // One factor for several means, and one mean for several factors.
    let shared = MultivariateNormal::new(array(locs), array(covariances[0]));
    let fanned = MultivariateNormal::new(array(locs[0]), array(covariances));
    let x = array([[0.0, 0.0], [1.0, -1.0], [3.0, 0.5], [-2.0, 2.0]]);
    let points = x.reshape([4, 1, 2]);
    for i in 0..3 {
        let cases = [
            (&batch, locs[i], covariances[i]),
            (&shared, locs[i], covariances[0]),
            (&fanned, locs[0], covariances[i]),
        ];
        for (batch, loc, covariance) in cases {
            let all = batch.log_prob(&points);
            assert_eq!(all.shape(), [4, 3]);
            let one = MultivariateNormal::new(loc, covariance).log_prob(&x);
            let part = floats(&all.at_axis(1, i as isize));
            assert_close("log_prob", &part, &floats(&one), 1e-5, 1e-6);
        }
    }
    // Two values by hand: |x|^2 / 2 + log(2 pi), and at the mean of the second.
    let unit = MultivariateNormal::new([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]);
    let density = unit.log_prob(&array([1.0, 2.0]));
    assert_close("unit", &floats(&density), &[-2.5 - std::f64::consts::TAU.ln()], 1e-6, 0.0);
    assert_eq!(batch.sample(Key::new(0), [5]).shape(), [5, 3, 2]);
    assert_eq!(fanned.sample(Key::new(0), ()).shape(), [3, 2]);
    assert_eq!(shared.sample(Key::new(0), [2, 5]).shape(), [2, 5, 3, 2]);
}

#[test]
fn vmap_over_distributions() {
    let ns = Normal::new([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]);
    let lanes =
        vmap(|(n, x): (Normal, Array)| n.log_prob(&x))((ns.clone(), array([0.5, 0.5, 0.5])));
    assert_close("lanes", &floats(&lanes), &floats(&ns.log_prob(&array(0.5))), 1e-6, 0.0);
    let keys = Key::new(0).split_batch(3);
    let draws = vmap(|(n, key): (Normal, Key)| n.sample(key, [2]))((ns, keys));
    assert_eq!(draws.shape(), [3, 2]);
    let first = normal(Key::new(0).split_n(3).remove(0), [2]);
    assert_close("first lane", &floats(&draws.at(0)), &floats(&first), 1e-6, 0.0);
}

#[test]
fn double_precision_by_default_type() {
    with_default_float(DType::F64, || {
        let x = linspace(0.0, 1.0, 3);
        assert_eq!(x.dtype(), DType::F64);
        let n = Normal::new(0.0, array([0.1]));
        let f = jit(grad(|x: Array| n.log_prob(&x).sum()));
        let g = f(x);
        assert_eq!(g.dtype(), DType::F64);
        assert_close("score", &g.to_vec::<f64>().unwrap(), &[0.0, -50.0, -100.0], 1e-14, 0.0);
        assert_eq!(n.sample(Key::new(0), [2]).dtype(), DType::F64);
    });
    assert_eq!(linspace(0.0, 1.0, 3).dtype(), DType::F32);
}

#[test]
fn double_precision_by_data() {
    let x = Array::from(vec![0.1, 0.2, 0.3]);
    let f = jit(|x: Array| (x.exp() * 2.0 + 1.0).sum());
    let want: f64 = [0.1f64, 0.2, 0.3].iter().map(|x| x.exp() * 2.0 + 1.0).sum();
    assert_close("sum", &[f(x.clone()).item::<f64>().unwrap()], &[want], 1e-15, 0.0);
    let n = Normal::new(&x, 1.0);
    assert_eq!(n.sample(Key::new(1), [2]).dtype(), DType::F64);
    assert_eq!(n.log_prob(&x).dtype(), DType::F64);
    // The same function compiles again for the other type.
    assert_eq!(f(array([0.1, 0.2, 0.3])).dtype(), DType::F32);
}

#[test]
fn with_default_float_inside_a_function_is_its_own() {
    let half = jit(|x: Array| {
        let wide = with_default_float(DType::F64, || zeros([2]) + 0.5);
        x + wide.sum().cast(DType::F32)
    });
    assert_eq!(half(array(1.0)).item::<f32>().unwrap(), 2.0);
}
