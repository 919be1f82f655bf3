//! Memory of the device and its loss: what is too much is an error that says how much, for what
//! and whose line; results take the memory of arguments that are given up; a device that is lost
//! is an error once.

mod common;

use common::{adapter_or_skip, graph_of};
use probpipe_backend_gpu::{Gpu, wgsl};
use probpipe_testing::says;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, ErrorKind, Executable, Storage, Value, Values, verify,
};

fn f32s(count: usize, value: f32) -> Value {
    Value::from_elements(&vec![value; count], &[count]).expect("there are as many")
}

/// A program of one argument.
fn compiled(gpu: &Gpu, ty: ArrayType, f: impl Fn(&Array) -> Array) -> Box<dyn Executable> {
    let graph = graph_of(&[ty], |x| vec![f(&x[0])]);
    gpu.compile(verify(&graph).expect("the graph is right")).expect("it compiles")
}

fn vector(count: usize) -> ArrayType {
    ArrayType::new(DType::F32, [count])
}

fn first(values: &Values) -> f32 {
    values[0].to_vec::<f32>().expect("it can be read")[0]
}

/// A device of its own: what these tests do to it, others must not see.
fn own() -> Option<Gpu> {
    adapter_or_skip()?;
    Some(Gpu::open().expect("a second device opens"))
}

#[test]
fn what_does_not_fit_says_what_it_is() {
    let Some(gpu) = own() else { return };
    let n = 1 << 20;
    let double = compiled(&gpu, vector(n), |x| x * 2.0);
    let x = f32s(n, 1.0);
    gpu.limit_memory(6 << 20);
    let error = double.run(&[&x]).expect_err("there is room for one array only");
    assert_eq!(error.kind(), ErrorKind::Device);
    let text = error.to_string();
    says(&text, &["out of memory", "result 0, f32[1048576], needs 4194304 bytes"]);
    says(&text, &["tests/holding.rs", "no more than 6291456 bytes may be held"]);
    gpu.limit_memory(1 << 20);
    let y = f32s(n, 1.0);
    let text = double.run(&[&y]).expect_err("there is no room at all").to_string();
    says(&text, &["argument 0, f32[1048576], needs 4194304 bytes", "tests/holding.rs"]);
    // What was missing is there again.
    gpu.limit_memory(64 << 20);
    assert_eq!(first(&double.run(&[&x]).expect("there is room")), 2.0);
}

#[test]
fn what_an_adapter_cannot_hold_says_so() {
    let Some(gpu) = own() else { return };
    let most = gpu.target().binding_bytes;
    let few = gpu.written_for(wgsl::Target { binding_bytes: 1 << 20, ..*gpu.target() });
    let graph = graph_of(&[vector(16)], |x| vec![x[0].broadcast_to([1 << 20, 16]) + 1.0]);
    let error = few.compile(verify(&graph).expect("the graph is right")).expect_err("too large");
    says(&error.to_string(), &["take 67108864 bytes", "1048576", "tests/holding.rs"]);
    // A value needs no program.
    if most < 1 << 32 {
        let large =
            Value::zeroed(ArrayType::new(DType::Bool, [most as usize])).expect("host memory");
        let error = gpu.put(&large).expect_err("no adapter binds that much");
        let bytes = format!("needs {} bytes", most * 4);
        says(
            &error.to_string(),
            &["out of memory", &bytes, &format!("{} bytes for one", most & !3)],
        );
    }
}

#[test]
fn idle_memory_makes_room() {
    let Some(gpu) = own() else { return };
    gpu.limit_memory(20 << 20);
    for megabytes in [8, 10, 12, 14, 16] {
        let value = gpu.put(&f32s(megabytes << 18, 1.0)).expect("idle memory goes first");
        assert!(gpu.memory().held >= (megabytes as u64) << 20, "{:?}", gpu.memory());
        drop(value);
    }
    assert_eq!(gpu.memory().held, 0);
}

#[test]
fn results_take_the_memory_of_arguments() {
    let Some(gpu) = own() else { return };
    let n = 1 << 20;
    let bytes = 4 * n as u64;
    let step = compiled(&gpu, vector(n), |x| x * 0.5 + 1.0);
    assert!(step.reuses());
    let mut x = gpu.put(&f32s(n, 4.0)).expect("there is room");
    let mut want = 4.0f32;
    for i in 0..5 {
        gpu.forget_peak();
        x = step.run_taking([x].into_iter().collect()).expect("it runs").remove(0);
        want = want * 0.5 + 1.0;
        // The first time it is not known that this happens again.
        let arrays = if i == 0 { 2 } else { 1 };
        let peak = gpu.memory().peak;
        assert!(peak < arrays * bytes + bytes / 2, "call {i}: {peak} bytes for arrays of {bytes}");
    }
    let all = x.to_vec::<f32>().expect("it can be read");
    assert!(all.iter().all(|&v| v == want), "{} is not {want}", all[0]);
    // Whoever keeps a handle keeps the array.
    let kept = x.clone();
    let y = step.run_taking([x].into_iter().collect()).expect("it runs");
    assert_eq!(first(&y), want * 0.5 + 1.0);
    assert_eq!(kept.to_vec::<f32>().expect("it is still there")[7], want);
}

#[test]
fn what_is_read_elsewhere_is_not_taken() {
    let Some(gpu) = own() else { return };
    let n = 1 << 20;
    // Each element of the result needs two of the argument.
    let step = compiled(&gpu, vector(n), |x| x + x.flip(0));
    let ramp: Vec<f32> = (0..n).map(|i| (i % 1000) as f32).collect();
    for _ in 0..3 {
        let x = Value::from_elements(&ramp, &[n]).expect("there are as many");
        let x = gpu.put(&x).expect("there is room");
        let y = step.run_taking([x].into_iter().collect()).expect("it runs");
        let y = y[0].to_vec::<f32>().expect("it can be read");
        assert!((0..n).all(|i| y[i] == ramp[i] + ramp[n - 1 - i]));
    }
}

#[test]
fn a_lost_device_is_an_error_once() {
    let Some(gpu) = own() else { return };
    let double = compiled(&gpu, vector(1000), |x| x * 2.0);
    let other = compiled(&gpu, vector(1000), |x| x + 2.0);
    let there = gpu.put(&f32s(1000, 3.0)).expect("there is room");
    assert_eq!(first(&double.run(&[&there]).expect("it runs")), 6.0);
    let unread = double.run(&[&there]).expect("it runs");
    gpu.destroy();
    let error = double.run(&[&f32s(1000, 3.0)]).expect_err("the device is gone");
    assert_eq!(error.kind(), ErrorKind::Device);
    says(&error.to_string(), &["the GPU was lost", "call again"]);
    // Programs from before and new ones work on another device.
    assert_eq!(first(&double.run(&[&f32s(1000, 3.0)]).expect("it is opened anew")), 6.0);
    assert_eq!(first(&other.run(&[&f32s(1000, 3.0)]).expect("so is this")), 5.0);
    let new = compiled(&gpu, vector(1000), |x| x - 2.0);
    assert_eq!(first(&new.run(&[&f32s(1000, 3.0)]).expect("and this")), 1.0);
    // What was there is gone, and says so wherever it is used.
    let error = unread[0].to_vec::<f32>().expect_err("its memory is gone");
    says(&error.to_string(), &["the GPU was lost", "made again"]);
    let error = double.run(&[&there]).expect_err("so is that of this");
    says(&error.to_string(), &["the GPU was lost"]);
    assert_eq!(first(&double.run(&[&f32s(1000, 1.0)]).expect("others run")), 2.0);
}

#[test]
fn a_device_can_be_lost_again() {
    let Some(gpu) = own() else { return };
    let double = compiled(&gpu, vector(10), |x| x * 2.0);
    for _ in 0..3 {
        assert_eq!(first(&double.run(&[&f32s(10, 3.0)]).expect("it runs")), 6.0);
        gpu.destroy();
        assert!(double.run(&[&f32s(10, 3.0)]).is_err());
    }
}

#[test]
fn buffers_of_another_device_are_copied() {
    let (Some(gpu), Some(other)) = (own(), own()) else { return };
    let x = other.put(&f32s(10, 3.0)).expect("there is room");
    let Storage::Device(buffer) = x.storage() else { panic!("it lies on the device") };
    assert_eq!(buffer.to_host().expect("it can be read").elements::<f32>()[0], 3.0);
    let double = compiled(&gpu, vector(10), |x| x * 2.0);
    assert_eq!(first(&double.run(&[&x]).expect("it runs")), 6.0);
}
