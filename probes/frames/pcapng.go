package frames

import (
	"errors"
	"fmt"
	"os"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// WriteCapture writes frames of one interface to a new pcapng file. The file must
// not exist yet.
func WriteCapture(path, nic string, frames []Frame) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("writing the capture: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := pcapgo.NewNgWriterInterface(f, pcapgo.NgInterface{Name: nic, LinkType: layers.LinkTypeEthernet, SnapLength: snapLength},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "cnibench"}})
	if err != nil {
		return fmt.Errorf("writing the capture to %s: %w", path, err)
	}
	for _, frame := range frames {
		info := gopacket.CaptureInfo{Timestamp: frame.Time, CaptureLength: len(frame.Data), Length: max(frame.Length, len(frame.Data))}
		if err := w.WritePacket(info, frame.Data); err != nil {
			return fmt.Errorf("writing the capture to %s: %w", path, err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the capture to %s: %w", path, err)
	}
	return nil
}
