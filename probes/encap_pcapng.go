package probes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// Block types and options of pcapng
// (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3).
const (
	pcapngSection       = 0x0A0D0D0A
	pcapngInterface     = 1
	pcapngPacket        = 6
	pcapngByteOrder     = 0x1A2B3C4D
	pcapngApplication   = 4 // shb_userappl
	pcapngName          = 2 // if_name
	pcapngResolution    = 9 // if_tsresol
	pcapngNanoseconds   = 9
	pcapngLinkEthernet  = 1 // LINKTYPE_ETHERNET
	pcapngUnknownLength = 0xFFFFFFFFFFFFFFFF
)

// writeCapture keeps frames as a pcapng file of one interface, which must not
// exist yet.
func writeCapture(path, nic string, frames []frame) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keeping the capture: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(pcapng(nic, frames)); err != nil {
		return fmt.Errorf("keeping the capture in %s: %w", path, err)
	}
	return nil
}

// pcapng is the content of such a file. Frames are few and short.
func pcapng(nic string, frames []frame) []byte {
	order := binary.LittleEndian
	section := order.AppendUint32(nil, pcapngByteOrder)
	section = order.AppendUint16(section, 1) // version 1.0
	section = order.AppendUint16(section, 0)
	section = order.AppendUint64(section, pcapngUnknownLength)
	section = appendOption(section, pcapngApplication, []byte("cnibench"))
	file := appendBlock(nil, pcapngSection, appendOption(section, 0, nil))

	link := order.AppendUint16(nil, pcapngLinkEthernet)
	link = order.AppendUint16(link, 0)
	link = order.AppendUint32(link, snapLength)
	link = appendOption(link, pcapngName, []byte(nic))
	link = appendOption(link, pcapngResolution, []byte{pcapngNanoseconds})
	file = appendBlock(file, pcapngInterface, appendOption(link, 0, nil))

	for _, f := range frames {
		at := uint64(f.Time.UnixNano())
		packet := order.AppendUint32(nil, 0) // the first interface
		packet = order.AppendUint32(packet, uint32(at>>32))
		packet = order.AppendUint32(packet, uint32(at))
		packet = order.AppendUint32(packet, uint32(len(f.Data)))
		packet = order.AppendUint32(packet, uint32(max(f.Length, len(f.Data))))
		file = appendBlock(file, pcapngPacket, appendPadded(packet, f.Data))
	}
	return file
}

// appendBlock appends a block: type, length, body, and the length again.
func appendBlock(b []byte, kind uint32, body []byte) []byte {
	const frame = 12
	length := uint32(len(body) + frame)
	b = binary.LittleEndian.AppendUint32(b, kind)
	b = binary.LittleEndian.AppendUint32(b, length)
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, length)
}

// appendOption appends an option; code 0 ends a list of them.
func appendOption(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return appendPadded(b, value)
}

// appendPadded appends bytes, and zeros up to a multiple of 4.
func appendPadded(b, value []byte) []byte {
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}
