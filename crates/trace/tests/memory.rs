//! Memory of large buffers is kept for the next ones, and never too much of it. One test: what is
//! kept belongs to the whole process.

use probpipe_trace::{HostBuffer, release_memory, spare_lines};

const MB: usize = 1 << 20;

fn address(buffer: &HostBuffer) -> *const u8 {
    buffer.bytes().as_ptr()
}

#[test]
fn large_buffers_come_again_in_the_memory_of_others() {
    release_memory();
    // Small ones are left to the allocator.
    drop(HostBuffer::zeroed(MB / 16));
    assert_eq!(release_memory(), 0);

    // The same memory, zeroed again, also for a buffer that is a little smaller.
    let mut first = HostBuffer::zeroed(8 * MB);
    first.bytes_mut().fill(7);
    let at = address(&first);
    drop(first);
    let second = HostBuffer::zeroed(7 * MB);
    assert_eq!(address(&second), at);
    assert!(second.bytes().iter().all(|&b| b == 0));
    drop(second);
    // Not for one that would waste it.
    assert_ne!(address(&HostBuffer::zeroed(4 * MB)), at);
    assert_eq!(release_memory(), 12 * MB);

    // Small buffers do not keep a large one out: the oldest go first.
    for size in 1..=40 {
        drop(HostBuffer::zeroed(MB + size * 4096));
    }
    let large: Vec<HostBuffer> = (0..4).map(|_| HostBuffer::zeroed(30 * MB)).collect();
    drop(large);
    assert_eq!(spare_lines(30 * MB / 64).unwrap().capacity(), 30 * MB / 64);
    let kept = release_memory();
    assert!((90 * MB..=128 * MB).contains(&kept), "{kept}");

    // As much as is alive, where that is more.
    let alive = HostBuffer::zeroed(160 * MB);
    let gone: Vec<HostBuffer> = (0..4).map(|_| HostBuffer::zeroed(60 * MB)).collect();
    drop(gone);
    let kept = release_memory();
    assert!((120 * MB..=160 * MB).contains(&kept), "{kept}");
    drop(alive);
    // Larger than what is kept for nobody.
    assert_eq!(release_memory(), 0);
}
