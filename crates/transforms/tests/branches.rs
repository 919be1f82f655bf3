//! Gradients where a function is made of branches: one that is not taken must not turn them into
//! NaN. For the library's own functions this is checked at the points where branches meet and far
//! out; for the user's, the double `where` is.

use probpipe_trace::{Array, DType, array, select, stack, with_default_float};
use probpipe_transforms::{grad, jacfwd, jit, vmap};

fn finite(name: &str, f: impl Fn(Array) -> Array, points: &[f64]) {
    for &dtype in &[DType::F32, DType::F64] {
        for &at in points {
            let x = Array::from_slice(&[at], []).cast(dtype);
            let slopes = with_default_float(dtype, || [grad(&f)(x.clone()), jacfwd(&f)(x)]);
            for (mode, slope) in ["grad", "jacfwd"].into_iter().zip(slopes) {
                let slope = slope.cast(DType::F64).item::<f64>().unwrap();
                assert!(slope.is_finite(), "{mode} of {name} at {at} in {dtype}: {slope}");
            }
        }
    }
}

type Elementwise = fn(Array) -> Array;

const WIDE: [f64; 11] = [-1e4, -100.0, -20.0, -5.0, -1.0, 0.0, 1.0, 5.0, 20.0, 100.0, 1e4];

#[test]
fn of_the_library() {
    let wide: [(&str, Elementwise); 32] = [
        ("sigmoid", |x| x.sigmoid()),
        ("softplus", |x| x.softplus()),
        ("log_sigmoid", |x| x.log_sigmoid()),
        ("relu", |x| x.relu()),
        ("relu6", |x| x.relu6()),
        ("gelu", |x| x.gelu()),
        ("gelu_tanh", |x| x.gelu_tanh()),
        ("silu", |x| x.silu()),
        ("elu", |x| x.elu(1.0)),
        ("selu", |x| x.selu()),
        ("celu", |x| x.celu(0.5)),
        ("leaky_relu", |x| x.leaky_relu(0.1)),
        ("hard_tanh", |x| x.hard_tanh()),
        ("soft_sign", |x| x.soft_sign()),
        ("mish", |x| x.mish()),
        ("ndtr", |x| x.ndtr()),
        ("log_ndtr", |x| x.log_ndtr()),
        ("sinc", |x| x.sinc()),
        ("tanh", |x| x.tanh()),
        ("arctan", |x| x.atan()),
        ("logaddexp", |x| x.logaddexp(0.0)),
        ("logaddexp2", |x| (x * 0.01).logaddexp2(0.0)),
        ("logaddexp of infinity", |x| x.logaddexp(f64::NEG_INFINITY)),
        ("clip", |x| x.clip(-1.0, 1.0)),
        ("nan_to_num", |x| x.nan_to_num()),
        ("hypot", |x| x.hypot(1.0)),
        ("xlogy", |x| x.xlogy(2.0)),
        ("xlog1py", |x| x.xlog1py(2.0)),
        ("softmax", |x| stack(&[x, array(0.0)], 0).softmax(0).at(0)),
        ("log_softmax", |x| stack(&[x, array(0.0)], 0).log_softmax(0).at(0)),
        ("logsumexp", |x| stack(&[x, array(f64::NEG_INFINITY)], 0).logsumexp()),
        ("squared distance", |x| x.squared_difference(1.0)),
    ];
    for (name, f) in wide {
        finite(name, f, &WIDE);
    }
    finite("cbrt", |x| x.cbrt(), &[-100.0, -1.0, 1e-10, 1.0, 100.0]);
    finite("log1mexp", |x| x.log1mexp(), &[-80.0, -1.0, -0.693, -0.1, -1e-6]);
    finite("entr", |x| x.entr(), &[1e-6, 0.5, 1.0, 10.0]);
    finite("logit", |x| x.logit(), &[1e-6, 0.5, 0.999]);
    finite("ndtri", |x| x.ndtri(), &[1e-6, 0.01, 0.5, 0.99]);
    finite("pow at zero", |x| x.pow(2.0), &[0.0, 1.0, -1.0]);
    finite("pow at zero, 3", |x| x.pow(3), &[0.0, 1.0, -1.0]);
    finite("zero to a power", |x| array(0.0).pow(x), &[1.0, 2.0]);
}

#[test]
fn of_the_user() {
    // The branch not taken is computed, and its derivative at zero is infinite.
    let plain = |x: Array| select(&x.gt(0.0), x.log(), 0.0);
    // So it is given an argument at which it is finite.
    let safe = |x: Array| {
        let inside = x.gt(0.0);
        let kept = select(&inside, &x, 1.0);
        select(&inside, kept.log(), 0.0)
    };
    let x = || array([2.0, 0.0, -1.0]);
    let bad = vmap(grad(plain))(x()).to_vec::<f32>().unwrap();
    assert!(bad[0] == 0.5 && bad[1].is_nan());
    for slopes in [
        vmap(grad(safe))(x()),
        vmap(jacfwd(safe))(x()),
        jit(vmap(grad(safe)))(x()),
        grad(|x: Array| vmap(safe)(x).sum())(x()),
    ] {
        assert_eq!(slopes.to_vec::<f32>().unwrap(), [0.5, 0.0, 0.0]);
    }
    let second = vmap(grad(grad(safe)))(x()).to_vec::<f32>().unwrap();
    assert_eq!(second, [-0.25, 0.0, 0.0]);
}
