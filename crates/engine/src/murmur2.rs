//! The partition of a key, as Java's default partitioner and librdkafka's `murmur2_random` choose it.
//!
//! Invariant: equal to `org.apache.kafka.common.utils.Utils.murmur2`, on whose test vectors it is tested.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;
const SIGN: u32 = 0x7fff_ffff;

/// Austin Appleby's `MurmurHash2` with Kafka's seed.
fn murmur2(data: &[u8]) -> u32 {
    let (words, rest) = data.as_chunks::<4>();
    let mut hash = words.iter().fold(SEED ^ data.len() as u32, |hash, word| {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER)
    });
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// The partition of a key among `count`, at least one. A record without a key goes anywhere.
pub fn murmur2_partition(key: &[u8], count: i32) -> i32 {
    ((murmur2(key) & SIGN) % count.max(1) as u32) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_kafkas_own_test() {
        let vectors: [(&str, i32); 7] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("", 275_646_681),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key:?}");
        }
    }

    #[test]
    fn the_sign_is_cut_off_before_the_remainder() {
        assert_eq!(murmur2_partition(b"21", 1_000), 340);
        assert_eq!(murmur2_partition(b"anything", 1), 0);
        for key in 0..500_u32 {
            assert!((0..7).contains(&murmur2_partition(&key.to_be_bytes(), 7)));
        }
    }
}
