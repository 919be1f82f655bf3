//! What a user reads when something does not fit: the whole message, with the lines of this file
//! written as offsets from the `line` that each test begins with. A message that names a line of
//! the library shows it in full and fails here.

mod golden;

use probpipe::prelude::*;
use probpipe_testing::{self as testing, reads, relative};
use std::cell::RefCell;

#[track_caller]
fn says(line: u32, error: &Error, want: &str) {
    reads(error, line, want);
}

/// What reading the array gives.
#[track_caller]
fn reading(array: &Array) -> Error {
    array.value().expect_err("a value where an error was expected")
}

#[test]
fn shapes_that_do_not_broadcast() {
    let line = line!();
    let x = zeros([4]);
    let y = ones([3]);
    let z = x + y;
    says(
        line,
        &reading(&z),
        "
        `add` cannot broadcast f32[4] with f32[3]
          --> line +3
           = operand f32[4] from line +1
           = operand f32[3] from line +2
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
}

#[test]
fn shapes_that_do_not_broadcast_in_a_compiled_function() {
    let line = line!();
    let f = jit(|x: Array| {
        let y = x.exp();
        y * zeros([3])
    });
    says(
        line,
        &f(zeros([4])).to_vec::<f32>().unwrap_err(),
        "
        `mul` cannot broadcast f32[4] with f32[3]
          --> line +3
           = operand f32[4] from line +2
           = operand f32[3] from line +3
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
}

#[test]
fn element_types_that_do_not_mix() {
    let line = line!();
    let data = Array::from(vec![1.0f64, 2.0]);
    let weights = Array::from(vec![0.5f32, 2.0]) * 0.1;
    let z = data * weights;
    says(
        line,
        &reading(&z),
        "
        `mul` does not mix f64[2] with f32[2]
          --> line +3
           = operand f64[2] from line +1
           = operand f32[2] from line +2
           = help: convert one side with `.cast(DType::F64)` or `.cast(DType::F32)`
        ",
    );
}

#[test]
fn branches_that_do_not_mix() {
    let line = line!();
    let x = Array::from(vec![1.0f32, -1.0]);
    let y = select(&x.gt(0.0), Array::from(vec![1.0f64, 2.0]), &x);
    says(
        line,
        &reading(&y),
        "
        `select` does not mix f64[2] with f32[2]
          --> line +2
           = operand bool[2] from line +2
           = operand f64[2] from line +2
           = operand f32[2] from line +1
           = help: convert one side with `.cast(DType::F64)` or `.cast(DType::F32)`
        ",
    );
}

#[test]
fn literal_that_does_not_fit() {
    let line = line!();
    let bytes = Array::from(vec![1u8, 2]);
    let larger = &bytes * 300;
    says(
        line,
        &reading(&larger),
        "
        the literal 300 does not fit an array of u8
          --> line +2
           = operand u8[2] from line +1
           = help: convert the array with `.cast(..)`, or write a literal of its element type
        ",
    );
}

#[test]
fn function_of_another_type() {
    let line = line!();
    let y = arange(4).reshape([2, 2]).inv();
    says(
        line,
        &reading(&y),
        "
        `inv` takes a float, not i32[2,2]
          --> line +1
           = help: convert first, for example with `.cast(DType::F32)`
        ",
    );
}

#[test]
fn axis_out_of_range() {
    let line = line!();
    let x = zeros([2, 3]);
    let total = x.sum_axes([2]);
    says(
        line,
        &reading(&total),
        "
        `sum`: axis 2 does not fit f32[2,3]
          --> line +2
           = the array was made from line +1
           = help: axes run from -2 to 1
        ",
    );
    let line = line!();
    let turned = zeros([2, 3]).permute([0, -3]);
    says(
        line,
        &reading(&turned),
        "
        `permute`: axis -3 does not fit f32[2,3]
          --> line +1
           = the array was made from line +1
           = help: axes run from -2 to 1
        ",
    );
}

#[test]
fn index_out_of_range() {
    let line = line!();
    let x = zeros([3]);
    let last = x.at(3);
    says(
        line,
        &reading(&last),
        "
        index 3 is outside axis 0 of f32[3]
          --> line +2
           = the array was made from line +1
           = help: the axis has 3 entries
        ",
    );
}

#[test]
fn reshape_of_another_size() {
    let line = line!();
    let x = arange(6);
    let matrix = x.reshape([4, 2]);
    says(
        line,
        &reading(&matrix),
        "
        cannot reshape i32[6] to [4,2]
          --> line +2
           = help: 6 elements do not make 4 x 2
        ",
    );
}

#[test]
fn products_of_matrices() {
    let line = line!();
    let a = zeros([2, 3]);
    let b = ones([2, 4]);
    let c = a.matmul(&b);
    says(
        line,
        &reading(&c),
        "
        `matmul` cannot multiply f32[2,3] with f32[2,4]: 3 columns, 2 rows
          --> line +3
           = operand f32[2,3] from line +1
           = operand f32[2,4] from line +2
           = help: the columns of the left must be as many as the rows of the right; see `transpose`
        ",
    );
    let line = line!();
    let factor = zeros([2, 3]).cholesky();
    says(
        line,
        &reading(&factor),
        "
        `cholesky` takes square matrices, not f32[2,3]
          --> line +1
           = help: the last two extents must be equal
        ",
    );
    let line = line!();
    let x = zeros([2, 2]).solve_triangular(ones(3));
    says(
        line,
        &reading(&x),
        "
        `solve_triangular` cannot solve f32[2,2] against f32[3,1]
          --> line +1
           = operand f32[2,2] from line +1
           = operand f32[3,1] from line +1
           = help: the right side must have 2 rows and batch axes that fit
        ",
    );
}

#[test]
fn gradients() {
    let line = line!();
    let slope = grad(|x: Array| x.sin())(ones([3]));
    says(
        line,
        &reading(&slope),
        "
        `grad` differentiates a function that gives a scalar, this one gives f32[3]
          --> line +1
           = the result was made from line +1
           = help: reduce the result with `.sum()` or `.mean()`, or use `jacrev` or `vjp`
        ",
    );
    let line = line!();
    let count = |x: Array| x.gt(0.0).cast(DType::I32).sum();
    let (_, slope) = jit(value_and_grad(count))(ones([3]));
    says(
        line,
        &reading(&slope),
        "
        `value_and_grad` differentiates a function that gives a float, this one gives i32[]
          --> line +2
           = the result was made from line +1
           = help: convert the result inside the function, for example with `.cast(DType::F32)`
        ",
    );
    let line = line!();
    let data = array([1, 2]);
    let loss = |(scale, data): (Array, Array)| (data.cast(DType::F32) * scale).sum();
    let (slope, _) = grad(loss)((array(2.0), data));
    says(
        line,
        &reading(&slope),
        "
        `grad` cannot differentiate with respect to the argument's leaf `.1`, which is i32[2]
          --> line +3
           = operand i32[2] from line +1
           = help: close over it instead of passing it, or convert it with `.cast(DType::F32)`
        ",
    );
}

#[test]
fn matrices_of_derivatives() {
    let line = line!();
    let x = arange(2);
    let j = jacfwd(|x: Array| x.cast(DType::F32))(x.clone());
    let h = hessian(|x: Array| x.cast(DType::F32).sum())(x);
    says(
        line,
        &reading(&j),
        "
        `jacfwd` cannot differentiate with respect to the argument, which is i32[2]
          --> line +2
           = operand i32[2] from line +1
           = help: close over it instead of passing it, or convert it with `.cast(DType::F32)`
        ",
    );
    says(
        line,
        &reading(&h),
        "
        `hessian` cannot differentiate with respect to the argument, which is i32[2]
          --> line +3
           = operand i32[2] from line +1
           = help: close over it instead of passing it, or convert it with `.cast(DType::F32)`
        ",
    );
    // A fault in the function keeps its own line.
    let line = line!();
    let f = |x: Array| {
        let y = x + zeros([3]);
        y.sum()
    };
    for derivative in [jacfwd(f)(ones([2])), jacrev(f)(ones([2])), hessian(f)(ones([2]))] {
        let message = relative(&reading(&derivative).to_string(), file!(), line);
        testing::says(&message, &["`add` cannot broadcast f32[2] with f32[3]\n  --> line +2"]);
    }
}

#[test]
fn traced_array_that_escaped() {
    let line = line!();
    let stored = RefCell::new(None);
    let f = jit(|x: Array| {
        let y = x * 2.0;
        *stored.borrow_mut() = Some(y.clone());
        y
    });
    f(array([1.0])).checked().unwrap();
    let escaped = stored.take().unwrap();
    let used = &escaped + 1.0;
    says(
        line,
        &reading(&used),
        "
        a traced array was used after its trace had ended
          --> line +9
           = the array was made from line +3
           = help: return the array from the traced function instead of storing it elsewhere
        ",
    );
    let line = line!() - 10;
    let read = escaped.to_vec::<f32>().unwrap_err();
    let passed = f(escaped.clone());
    let captured = jit(|x: Array| x * &escaped)(array([1.0]));
    let want = |at: i64| {
        format!(
            "
            a traced array was used after its trace had ended
              --> line {at:+}
               = the array was made from line -7
               = help: return the array from the traced function instead of storing it elsewhere
            "
        )
    };
    says(line, &read, &want(11));
    // A compiled function is named by the line where it was made.
    says(line, &reading(&passed), &want(-8));
    says(line, &reading(&captured), &want(13));
}

#[test]
fn reading_inside_a_traced_function() {
    let line = line!();
    let told = RefCell::new(None);
    let f = jit(|x: Array| {
        let y = x.square();
        *told.borrow_mut() = y.item::<f32>().err();
        y
    });
    f(array(1.0)).checked().unwrap();
    says(
        line,
        &told.take().unwrap(),
        "
        a traced f32[] has no value yet
          --> line +4
           = the array was made from line +3
           = help: inside a traced function use array operations such as `select` and `scan`; read values outside
        ",
    );
}

#[test]
fn the_first_fault_wins() {
    let line = line!();
    let bad = zeros([2]) + zeros([3]);
    let worse = bad.matmul(&ones([7])).at(99).reshape([5]) + array([true]);
    let worst = jit(vmap(grad(|x: Array| x.sum())))(stack(&[worse.clone(), worse], 0));
    let (_, ys) = scan(worst, arange(3), |c: Array, i| (&c + i, c));
    says(
        line,
        &ys.to_vec::<f64>().unwrap_err(),
        "
        `add` cannot broadcast f32[2] with f32[3]
          --> line +1
           = operand f32[2] from line +1
           = operand f32[3] from line +1
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
}

#[test]
fn a_loop_that_changes_its_carry() {
    let line = line!();
    let start = zeros([2]);
    let grown = fori_loop(3, start, |_, x| concat(&[x.clone(), x], 0));
    says(
        line,
        &reading(&grown),
        "
        the loop's carry starts as f32[2] and ends a step as f32[4]
          --> line +2
           = it starts from line +1
           = it ends a step from line +2
           = help: a step must give back carries of the types it takes; see `reshape` and `cast`
        ",
    );
    let line = line!();
    let start = (array([0]).at(0), zeros([2]));
    let (count, _) = fori_loop(3, start, |_, (n, x)| (n.cast(DType::F32) + 0.5, x));
    says(
        line,
        &reading(&count),
        "
        the loop's carry leaf `.0` starts as i32[] and ends a step as f32[]
          --> line +2
           = it starts from line +1
           = it ends a step from line +2
           = help: a step must give back carries of the types it takes; see `reshape` and `cast`
        ",
    );
    let line = line!();
    let start = vec![zeros([2])];
    let grown = fori_loop(3, start, |_, mut list| {
        list.push(ones([2]));
        list
    });
    says(
        line,
        &reading(&grown[0]),
        "
        the loop's carry changes structure: it has leaves `[0]` before a step and leaves `[0]`, `[1]` after
          --> line +2
           = help: give back a carry of the structure that the step takes
        ",
    );
}

#[test]
fn a_scan_over_different_lengths() {
    let line = line!();
    let (xs, ys) = (arange(3), zeros([4, 2]));
    let (_, sums) = scan(zeros([2]), (xs, ys), |c, (x, y)| (c, y + x.cast(DType::F32)));
    says(
        line,
        &reading(&sums),
        "
        `scan` over arrays of 3 and of 4 entries
          --> line +2
           = operand i32[3] from line +1
           = operand f32[4,2] from line +1
           = help: the leading axes of all scanned arrays must be equal
        ",
    );
}

#[test]
fn lanes_of_different_sizes() {
    let line = line!();
    let (a, b) = (ones([3]), ones([4, 2]));
    let sums = vmap(|(a, b): (Array, Array)| a + b.sum())((a, b));
    says(
        line,
        &reading(&sums),
        "
        `vmap` maps axes of different sizes: 3 of the argument's leaf `.0` and 4 of the argument's leaf `.1`
          --> line +2
           = operand f32[3] from line +1
           = operand f32[4,2] from line +1
           = help: mapped axes must have equal sizes
        ",
    );
}

#[test]
fn one_invalid_result_of_several() {
    let line = line!();
    let f = jit(|x: Array| vec![x.sin(), x.at(5), x.cos()]);
    for y in f(zeros([2])) {
        says(
            line,
            &reading(&y),
            "
            index 5 is outside axis 0 of f32[2]
              --> line +1
               = the array was made from line +1
               = help: the axis has 2 entries
            ",
        );
    }
}

#[test]
fn trees_of_different_structure() {
    let line = line!();
    let (a, b) = (vec![array(1.0)], vec![array(1.0), array(2.0)]);
    let sum = tree_map(|x, y| x + y, a, b);
    says(
        line,
        &reading(&sum[0]),
        "
        `tree_map` of two trees: the trees differ in structure
          --> line +2
           = help: a function must get and give the same structure each time it is called
        ",
    );
}

#[test]
fn reading_as_another_type() {
    let line = line!();
    let x = array([1.0, 2.0]);
    let read = x.to_vec::<f64>().unwrap_err();
    let item = x.item::<f32>().unwrap_err();
    says(
        line,
        &read,
        "
        cannot read f32[2] as f64
          --> line +2
           = help: read it as `f32`, or convert it first with `.cast(DType::F64)`
        ",
    );
    says(
        line,
        &item,
        "
        `item` reads one element, not f32[2]
          --> line +3
           = help: index or reduce the array first, or use `to_vec`
        ",
    );
}

#[test]
fn keys() {
    let line = line!();
    let keys = Key::new(0).split_batch(3);
    let draw = normal(keys.reuse(), [2]);
    let from_normal = Normal::new(0.0, 1.0).sample(keys, [2]);
    let want = |at: u32| {
        format!(
            "
            a key is u32[2], this one is u32[3,2]
              --> line +{at}
               = help: draw from one key of a batch at a time: `vmap` over the batch
            "
        )
    };
    says(line, &reading(&draw), &want(2));
    says(line, &reading(&from_normal), &want(3));
    let line = line!();
    let seed = array(1.5);
    let draw = uniform(Key::from_seed(seed), [2]);
    let bits = Key::new(0).bits(7, [2]);
    says(
        line,
        &reading(&draw),
        "
        a seed is an integer, not f32
          --> line +2
           = help: cast the seed, for example with `.cast(DType::I32)`
        ",
    );
    says(
        line,
        &reading(&bits),
        "
        there are no 7-bit draws
          --> line +3
           = help: the width is 8, 16, 32 or 64
        ",
    );
}

#[cfg(feature = "gpu")]
#[test]
fn an_adapter_that_is_not_there() {
    // The reason depends on the system; what to do about it does not.
    if let Err(error) = Device::Gpu.check() {
        assert!(error.message().starts_with("no GPU adapter was found: "), "{error}");
        testing::says(&error, &["mesa-vulkan-drivers"]);
    }
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_backend_that_is_not_built() {
    let want = "
        this build of probpipe has no GPU backend
           = help: turn on the feature: `cargo add probpipe --features gpu`
        ";
    assert!(!golden::gpu());
    says(0, &Device::Gpu.check().unwrap_err(), want);
    let line = line!();
    let f = jit_on(Device::Gpu, |x: Array| x.sin());
    let want = want.replace(" backend\n", " backend\n          --> line +1\n");
    says(line, &reading(&f(array(1.0))), &want);
}
