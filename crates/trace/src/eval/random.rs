//! The Threefry-2x32 block function. How keys and draws use it is in `key.rs`.

use crate::error::Result;
use crate::eval::elements::{build, elements};
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value};
use smallvec::{SmallVec, smallvec};

/// Threefry-2x32 with 20 rounds: hashes a 64-bit counter under a 64-bit key.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
pub fn threefry2x32(key: [u32; 2], count: [u32; 2]) -> [u32; 2] {
    // Distances of the Threefry-2x32 rounds (table 2 of the paper), four at a time by turns.
    const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
    // The parity word of the Threefish key schedule, halved to 32 bits.
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let mut x = [count[0].wrapping_add(key[0]), count[1].wrapping_add(key[1])];
    for group in 0..5 {
        for distance in ROTATIONS[group % 2] {
            x[0] = x[0].wrapping_add(x[1]);
            x[1] = x[1].rotate_left(distance) ^ x[0];
        }
        // After every four rounds the next two schedule words and the group's number go in.
        let next = group + 1;
        x[0] = x[0].wrapping_add(schedule[next % 3]);
        x[1] = x[1].wrapping_add(schedule[(next + 1) % 3]).wrapping_add(next as u32);
    }
    x
}

pub(super) fn threefry(inputs: &[Value], ty: &ArrayType) -> Result<SmallVec<[Value; 2]>> {
    let (k0, k1) = (elements::<u32>(&inputs[0])?, elements::<u32>(&inputs[1])?);
    let (c0, c1) = (elements::<u32>(&inputs[2])?, elements::<u32>(&inputs[3])?);
    let mut second = HostBuffer::try_zeroed(ty.bytes())?;
    let first = build::<u32>(ty, |out| {
        for (i, (a, b)) in out.iter_mut().zip(second.elements_mut::<u32>()).enumerate() {
            [*a, *b] = threefry2x32([k0[i], k1[i]], [c0[i], c1[i]]);
        }
    })?;
    Ok(smallvec![first, Value::host(ty.clone(), second)])
}
