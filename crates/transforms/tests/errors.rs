//! What the user functions refuse, and how they say so.

use probpipe_testing::{reads, says};
use probpipe_trace::{Array, DType, array, ones, zeros};
use probpipe_transforms::{grad, jit, value_and_grad, vjp, vmap, vmap_axes};

#[test]
fn gradient_of_a_vector() {
    let line = line!();
    let g = grad(|x: Array| x * 2.0);
    reads(
        &g(ones([3])),
        line,
        "`grad` differentiates a function that gives a scalar, this one gives f32[3]\n  \
         --> line +1\n   = the result was made from line +1\n   = help: reduce the result with \
         `.sum()` or `.mean()`, or use `jacrev` or `vjp`",
    );
}

#[test]
fn gradient_of_an_integer() {
    let line = line!();
    let g = grad(|x: Array| x.sum().cast(DType::I32));
    reads(
        &g(ones([3])),
        line,
        "`grad` differentiates a function that gives a float, this one gives i32[]\n  \
         --> line +1\n   = the result was made from line +1\n   = help: convert the result inside \
         the function, for example with `.cast(DType::F32)`",
    );
}

#[test]
fn gradient_by_an_integer() {
    let line = line!();
    let n = array([1, 2]);
    let g = value_and_grad(|(x, n): (Array, Array)| (x * n.cast(DType::F32)).sum());
    let (y, (dx, _)) = g((ones([2]), n));
    let want = "`value_and_grad` cannot differentiate with respect to the argument's leaf `.1`, \
         which is i32[2]\n  --> line +2\n   = operand i32[2] from line +1\n   = help: close over \
         it instead of passing it, or convert it with `.cast(DType::F32)`";
    reads(&y, line, want);
    reads(&dx, line, want);
}

#[test]
fn mapped_sizes_disagree() {
    let line = line!();
    let (a, b) = (ones([3]), ones([4, 2]));
    let f = vmap(|(a, b): (Array, Array)| a + b.sum());
    reads(
        &f((a, b)),
        line,
        "`vmap` maps axes of different sizes: 3 of the argument's leaf `.0` and 4 of the \
         argument's leaf `.1`\n  --> line +2\n   = operand f32[3] from line +1\n   = operand \
         f32[4,2] from line +1\n   = help: mapped axes must have equal sizes",
    );
}

#[test]
fn mapped_axis_out_of_range() {
    let line = line!();
    let x = ones([3]);
    let f = vmap_axes(|x: Array| x, 1, 0);
    reads(
        &f(x),
        line,
        "`vmap` maps axis 1 of the argument, which is f32[3]\n  --> line +2\n   = operand f32[3] \
         from line +1\n   = help: map an axis that the array has, or `None` to use it whole in \
         every lane",
    );
}

#[test]
fn nothing_to_map() {
    let line = line!();
    let f = vmap_axes(|x: Array| x, (), 0);
    reads(
        &f(ones([3])),
        line,
        "`vmap` has no axis to map over\n  --> line +1\n   = help: map at least one array; what \
         is the same in all lanes can be captured",
    );
}

#[test]
fn a_fault_inside_keeps_its_line() {
    let line = line!();
    let f = jit(vmap(grad(|x: Array| (x + zeros([3])).dot(&zeros([4])))));
    let message = f(ones([2, 3])).value().unwrap_err().to_string();
    says(&message, &[&*format!("errors.rs:{}:", line + 1)]);
}

#[test]
fn invalid_arguments_pass_through() {
    let bad = ones([2]) + ones([3]);
    let message = bad.value().unwrap_err().to_string();
    let (y, pull) = vjp(|x: Array| x.sum(), bad.clone());
    for result in [
        grad(|x: Array| x.sum())(bad.clone()),
        jit(|x: Array| x.sum())(bad.clone()),
        vmap(|x: Array| x)(bad.clone()),
        y,
        pull(array(1.0)),
    ] {
        assert_eq!(result.value().unwrap_err().to_string(), message);
    }
}
