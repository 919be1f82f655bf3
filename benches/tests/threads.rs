//! Every workload gives the same bits on one thread and on two.

use probpipe::prelude::*;
use probpipe_benches::WORKLOADS;

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start")
    };
    let (one, two) = (pool(1), pool(2));
    for workload in WORKLOADS {
        let inputs = workload.inputs();
        let call = jit(|x| workload.run(x));
        let bytes = |array: &Array| {
            let value = array.value().unwrap_or_else(|e| panic!("{}: {e}", workload.name));
            value.to_host().expect("on the host").bytes().to_vec()
        };
        let first: Vec<Vec<u8>> = one.install(|| call(inputs.clone()).iter().map(bytes).collect());
        for _ in 0..3 {
            let again = two.install(|| call(inputs.clone()));
            for (k, (a, b)) in first.iter().zip(&again).enumerate() {
                assert!(*a == bytes(b), "result {k} of {} depends on the threads", workload.name);
            }
        }
    }
}
