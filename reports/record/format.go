package record

import "hash/crc32"

// A shard file is the magic, a version byte, and frames to the end:
//
//	frame   = type (1 byte) | payload length (uvarint) | payload | CRC-32C of all before, little endian
//	header  = 'H': JSON of Header; the first frame, once
//	record  = 'R': one Record, see encode.go
//	gaps    = 'G': second, then (bucket distance, count) pairs; frames of one second add up
//	footer  = 'F': JSON of Footer; the last frame, once
//
// A frame stands alone, so every prefix of a file that ends between two frames is a good file without a footer.
const (
	magic         = "brownout"
	formatVersion = 1

	frameHeader = 'H'
	frameRecord = 'R'
	frameGaps   = 'G'
	frameFooter = 'F'
)

// Bounds on what a file may claim, so that a damaged or hostile one cannot exhaust memory.
const (
	maxJSON        = 4 << 20 // a footer of 20,000 faults fits
	maxRecordFrame = 8 << 10
	maxGapsFrame   = 64 << 10 // 2,944 buckets of at most 12 bytes
	maxWord        = 256      // ID, tenant, model, class, node
	maxNote        = 1024
	maxInterned    = 4096 // distinct words kept while reading
)

// checksum is CRC-32C (Castagnoli), which amd64 and arm64 compute in hardware. MakeTable returns one shared table.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
