//! What a user reads who gives a distribution, a record or a product something that does not fit,
//! whole, with the lines of this file as offsets. Arrays and programs are in `errors.rs`.

use probpipe::prelude::*;
use probpipe_testing::reads;

#[track_caller]
fn says(line: u32, error: &Error, want: &str) {
    reads(error, line, want);
}

/// What reading the array gives.
fn reading(array: &Array) -> Error {
    array.value().expect_err("a value where an error was expected")
}

#[test]
fn parameters_of_distributions() {
    let line = line!();
    let n = Normal::new(0.0, array([1.0, -0.5]));
    let density = n.log_prob(&zeros([2]));
    says(
        line,
        &reading(&density),
        "
        the scale of a Normal must be positive, not -0.5 at [1]
          --> line +1
           = scale was made from line +1
           = help: parameterise by the logarithm and take `.exp()` to stay positive
        ",
    );
    let line = line!();
    let (loc, scale) = (zeros([2]), ones([3]));
    let draw = Normal::new(loc, scale).sample(Key::new(0), ());
    says(
        line,
        &reading(&draw),
        "
        the loc [2] and scale [3] of a Normal do not broadcast
          --> line +2
           = loc was made from line +1
           = scale was made from line +1
           = help: extents, aligned at the last axis, must be equal or 1
        ",
    );
    let line = line!();
    let covariance = eye(3);
    let draw = MultivariateNormal::new([1.0, 2.0], covariance).sample(Key::new(0), [5]);
    says(
        line,
        &reading(&draw),
        "
        the loc [2] and scale_tril [3,3] of a MultivariateNormal do not fit
          --> line +2
           = loc was made from line +2
           = scale_tril was made from line +2
           = help: give loc [..., d] and scale_tril [..., d, d]
        ",
    );
    let line = line!();
    let mvn = MultivariateNormal::new([1.0, 2.0], zeros([2, 3]));
    says(
        line,
        &reading(&mvn.log_prob(&zeros([2]))),
        "
        `cholesky` takes square matrices, not f32[2,3]
          --> line +1
           = help: the last two extents must be equal
        ",
    );
}

#[test]
fn values_that_parameters_cannot_have() {
    let line = line!();
    let u = Uniform::new([0.0, 1.0], array([[0.5, 2.0], [1.0, 0.5]]));
    says(
        line,
        &reading(&u.mean()),
        "
        the low of a Uniform must be less than its high: low is 1 and high 0.5 at [1,1]
          --> line +1
           = low was made from line +1
           = high was made from line +1
           = help: exchange them, or write high as low plus a positive width
        ",
    );
    let line = line!();
    let coin = Bernoulli::new(1.5);
    says(
        line,
        &reading(&coin.entropy()),
        "
        the probs of a Bernoulli must be in [0, 1], not 1.5
          --> line +1
           = probs was made from line +1
           = help: parameterise by the logit and take `.sigmoid()` to stay between 0 and 1
        ",
    );
    let line = line!();
    let covariance = array([[1.0, 2.0], [2.0, 1.0]]);
    let mvn = MultivariateNormal::new([1.0, 2.0], &covariance);
    says(
        line,
        &reading(&mvn.log_prob(&zeros([2]))),
        "
        the covariance of a MultivariateNormal must be positive definite
          --> line +2
           = covariance was made from line +1
           = help: make it symmetric, and add a small multiple of `eye(n)` if it is nearly singular
        ",
    );
    let line = line!();
    let rate = arange(3);
    let e = Exponential::new(rate);
    says(
        line,
        &reading(&e.sample(Key::new(0), ())),
        "
        the rate of an Exponential must be of a float type, not i32
          --> line +2
           = rate was made from line +1
           = help: convert it, for example with `.cast(DType::F32)`
        ",
    );
    let line = line!();
    let scale = array([1.0, 2.0]).cast(DType::F64);
    let l = Laplace::new(zeros([2]).cast(DType::F32), scale);
    says(
        line,
        &reading(&l.std()),
        "
        the scale of a Laplace is f64, its loc f32
          --> line +2
           = scale was made from line +1
           = help: convert it, for example with `.cast(DType::F32)`
        ",
    );
    // Inside a compiled function known values are checked too, and traced ones by shape.
    let line = line!();
    let f = jit(|x: Array| Normal::new(&x, array([1.0, f32::NAN])).log_prob(&x));
    says(
        line,
        &reading(&f(array([0.0, 1.0]))),
        "
        the scale of a Normal must be positive, not NaN at [1]
          --> line +1
           = scale was made from line +1
           = help: parameterise by the logarithm and take `.exp()` to stay positive
        ",
    );
    let line = line!();
    let f = jit(|x: Array| Normal::new(zeros([3]), &x).log_prob(&x));
    says(
        line,
        &reading(&f(array([1.0, -1.0]))),
        "
        the loc [3] and scale [2] of a Normal do not broadcast
          --> line +1
           = loc was made from line +1
           = scale was made from line +1
           = help: extents, aligned at the last axis, must be equal or 1
        ",
    );
    // What is put together from leaves is checked where it is used.
    let line = line!();
    let n = Normal::new(0.0, 1.0).map(|leaf| leaf - 1.0);
    says(
        line,
        &reading(&n.log_prob(&array(0.0))),
        "
        the scale of a Normal must be positive, not 0
          --> line +4
           = scale was made from line +1
           = help: parameterise by the logarithm and take `.exp()` to stay positive
        ",
    );
}

#[test]
fn points_that_do_not_fit_a_distribution() {
    let line = line!();
    let x = zeros([3]);
    let density = Normal::new([0.0, 1.0], 1.0).log_prob(&x);
    says(
        line,
        &reading(&density),
        "
        `sub` cannot broadcast f32[3] with f32[2]
          --> line +2
           = operand f32[3] from line +1
           = operand f32[2] from line +2
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
    // Also through the parts of a product.
    let line = line!();
    let x = Record::new([("a", zeros([3]))]);
    let joint = product((Normal::new([0.0, 1.0], 1.0).named("a"),));
    let density = joint.log_prob(&x);
    says(
        line,
        &reading(&density),
        "
        `sub` cannot broadcast f32[3] with f32[2]
          --> line +3
           = operand f32[3] from line +1
           = operand f32[2] from line +2
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
    let line = line!();
    let flat = joint.as_flat_distribution();
    let density = flat.log_prob(&zeros([7, 3]));
    says(
        line,
        &reading(&density),
        "
        the flat product takes vectors of 2, not an array of shape [7,3]
          --> line +2
           = the array was made from line +2
           = help: the last axis holds the parts one after another
        ",
    );
}

#[test]
fn products_and_records() {
    let line = line!();
    let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(0.0, 1.0).named("mu")));
    let draw = joint.sample(Key::new(0), ());
    says(
        line,
        &reading(&draw["mu"]),
        "
        a product names two parts `mu`
          --> line +2
           = help: give every part a name of its own
        ",
    );
    let line = line!();
    let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(0.0, 1.0).named("tau")));
    let x = Record::new([("mu", 0.5), ("sigma", 1.0)]);
    let density = joint.log_prob(&x);
    let tau = x["tau"].exp();
    says(
        line,
        &reading(&density),
        "
        the record has no `tau`, which the product needs
          --> line +3
           = help: the record has: mu, sigma
        ",
    );
    says(
        line,
        &reading(&tau),
        "
        the record has no `tau`
          --> line +4
           = help: the record has: mu, sigma
        ",
    );
}
