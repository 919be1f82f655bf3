//! Threefry-2x32 with 20 rounds (Salmon et al., 'Parallel random numbers: as easy as 1, 2, 3',
//! SC 2011), the generator behind JAX's keys.

/// Rotation distances, alternating every four rounds.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
/// The parity constant of the key schedule.
const PARITY: u32 = 0x1BD1_1BDA;

/// The block function: encrypts the counter `(x0, x1)` under the key `(k0, k1)`.
#[inline(always)]
pub fn threefry_2x32(k0: u32, k1: u32, x0: u32, x1: u32) -> (u32, u32) {
    let key = [k0, k1, k0 ^ k1 ^ PARITY];
    let (mut x0, mut x1) = (x0.wrapping_add(k0), x1.wrapping_add(k1));
    macro_rules! group {
        ($group:literal) => {
            let [a, b, c, d] = ROTATIONS[($group - 1) % 2];
            group!(@round a);
            group!(@round b);
            group!(@round c);
            group!(@round d);
            x0 = x0.wrapping_add(key[$group % 3]);
            x1 = x1.wrapping_add(key[($group + 1) % 3]).wrapping_add($group);
        };
        (@round $rotation:ident) => {
            x0 = x0.wrapping_add(x1);
            x1 = x1.rotate_left($rotation) ^ x0;
        };
    }
    group!(1);
    group!(2);
    group!(3);
    group!(4);
    group!(5);
    (x0, x1)
}

/// The block function over arrays of keys and counters, all of one length.
#[inline(always)]
pub fn threefry_tile(
    dst: (&mut [u32], &mut [u32]),
    key: (&[u32], &[u32]),
    counter: (&[u32], &[u32]),
) {
    let n = dst.0.len();
    let (d0, d1) = (&mut dst.0[..n], &mut dst.1[..n]);
    let (k0, k1) = (&key.0[..n], &key.1[..n]);
    let (x0, x1) = (&counter.0[..n], &counter.1[..n]);
    for i in 0..n {
        (d0[i], d1[i]) = threefry_2x32(k0[i], k1[i], x0[i], x1[i]);
    }
}

/// The block function under one key over arrays of counters, all of one length.
#[inline(always)]
pub fn threefry_tile_one_key(
    dst: (&mut [u32], &mut [u32]),
    key: (u32, u32),
    counter: (&[u32], &[u32]),
) {
    let n = dst.0.len();
    let (d0, d1) = (&mut dst.0[..n], &mut dst.1[..n]);
    let (x0, x1) = (&counter.0[..n], &counter.1[..n]);
    for i in 0..n {
        (d0[i], d1[i]) = threefry_2x32(key.0, key.1, x0[i], x1[i]);
    }
}
