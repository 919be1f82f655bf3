//! Graphs whose every choice the fuzzer makes, through the rewrites and the CPU's compiler.

#![no_main]

use probpipe::Device;
use probpipe_fuzz::{check_choices, config};
use probpipe_testing::Random;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((kind, choices)) = data.split_first() else { return };
    let seed = u64::from(*kind);
    let config = config(seed, Device::Cpu);
    if let Err(fault) = check_choices(Random::from_bytes(choices), seed, config, Device::Cpu) {
        panic!("{fault}");
    }
});
