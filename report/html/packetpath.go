package html

import (
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// wayView is the way of a plugin's packets from pod to pod as a drawing: the
// devices on the two nodes, and the frame between them.
type wayView struct {
	Plugin, Topology string
	Arrived          bool
	From, To         []string // devices on the sender's node and on the receiver's
	// Frame are the headers seen on the wire, from the outside in; empty if
	// nobody looked.
	Frame []headerView
	// Missed says that somebody did, and did not see the packets.
	Missed bool
}

// headerView is a header of a frame.
type headerView struct {
	Name  string
	Bytes int
	Outer bool // put there by the plugin
}

// ways are the drawings, one for each network of which the devices are known.
func ways(r *model.Report) []wayView {
	var all []wayView
	for _, h := range r.Hops {
		v := wayView{Plugin: h.Plugin, Topology: h.Topology.String(), Arrived: h.Arrived, Frame: frame(r, h.Plugin, h.Topology)}
		if e := r.Captured(h.Plugin, h.Topology); e != nil {
			v.Missed = facts.Missed(e)
		}
		first := ""
		for i, hop := range h.Devices {
			place, device, _ := strings.Cut(hop, "/")
			node, pod, inPod := strings.Cut(place, ":")
			if inPod {
				device = pod + " " + device
			}
			if i == 0 {
				first = node
			}
			if node == first {
				v.From = append(v.From, device)
			} else {
				v.To = append(v.To, device)
			}
		}
		all = append(all, v)
	}
	return all
}

// frame reads the headers that a capture showed, "VXLAN 8" each.
func frame(r *model.Report, plugin string, topology results.Topology) []headerView {
	for _, e := range r.Encapsulation {
		if e.Plugin == plugin && e.Topology == topology && e.Frames > 0 {
			return headers(e)
		}
	}
	return nil
}

// headers marks those that the plugin put around the packet: what comes before
// the last IP header, but for the frame's own Ethernet header.
func headers(e results.Encapsulation) []headerView {
	var all []headerView
	inner := 0
	for i, layer := range e.Layers {
		h := headerView{Name: layer}
		if name, size, ok := strings.Cut(layer, " "); ok {
			if n, err := strconv.Atoi(size); err == nil {
				h.Name, h.Bytes = name, n
			}
		}
		if strings.HasPrefix(h.Name, "IPv") {
			inner = i
		}
		all = append(all, h)
	}
	for i := range all {
		all[i].Outer = i > 0 && i < inner
	}
	return all
}
