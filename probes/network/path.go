package network

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

const (
	// pathPackets is the number of packets sent. A device is on the path if it
	// carried that many, less the pathLost that may be lost. The traffic of agents
	// in the meantime is far less.
	pathPackets = 200
	pathLost    = pathPackets / 10
	// pathLimit bounds the sending, on top of the underlay's delay.
	pathLimit = 2 * time.Second
	// pathQuiet is how long the last packets may take to arrive, on top of the
	// underlay's delay.
	pathQuiet = 300 * time.Millisecond
)

// Path finds the devices that a packet passes inside the nodes by comparing their
// counters before and after a known number of packets.
func Path() *probes.Probe {
	return &probes.Probe{
		Name: "path", Title: "the devices that a packet passes from pod to pod, according to their counters",
		Once: true, Unreached: true, Placement: probes.Same,
		Roles:   map[string]worker.Role{"receive": trickle.Receive, "send": trickle.Send, "count": pathCount},
		Measure: measurePath, Longest: pathTakes,
	}
}

// device is an interface in a network namespace, with its packet counters.
type device struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // as rtnetlink names it: veth, bridge, vxlan, tuntap
	RX   uint64 `json:"rx"`   // packets
	TX   uint64 `json:"tx"`
	// Index is the interface's index, which changes if an interface is recreated
	// under the same name.
	Index int `json:"index"`
}

// pathCount returns the devices of the worker's network namespace.
func pathCount(context.Context, *worker.Request) (any, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("listing the interfaces: %w", err)
	}
	devices := []device{}
	for _, l := range links {
		if s := l.Attrs().Statistics; s != nil && l.Attrs().Name != "lo" {
			devices = append(devices, device{l.Attrs().Name, l.Type(), s.RxPackets, s.TxPackets, l.Attrs().Index})
		}
	}
	return devices, nil
}

func measurePath(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	begin := time.Now()
	before, err := countDevices(ctx, s.Client, s.Server)
	if err != nil {
		return nil, err
	}
	receive, send, err := trickle.Start(ctx, "path", s.Client, s.Server, trickle.Args{Every: time.Millisecond, Sends: pathPackets, Arrivals: pathPackets, Limit: pathWithin(s), Quiet: pathWithin(s)})
	if err != nil {
		return nil, err
	}
	defer receive.Cancel()
	var sent, seen trickle.Result
	if err := send.Wait(ctx, &sent); err != nil {
		return nil, err
	}
	// The last packets may still be in flight.
	rest := time.AfterFunc(pathRest(s), receive.Cancel)
	defer rest.Stop()
	if err := receive.Wait(ctx, &seen); err != nil {
		return nil, err
	}
	after, err := countDevices(ctx, s.Client, s.Server)
	if err != nil {
		return nil, err
	}
	least := uint64(max(sent.Count-pathLost, 1))
	h := &results.Hops{Sent: sent.Count, Devices: wayOf(s.Client.NodeName, s.Server.NodeName, before, after, least), Arrived: uint64(seen.Count) >= least}
	return &probes.Measurement{Seconds: time.Since(begin).Seconds(), Hops: h}, nil
}

// places holds the devices of each place on the path, in the order of the path.
type places struct {
	fromPod, fromNode, toNode, toPod []device
}

func countDevices(ctx context.Context, from, to probes.End) (p places, err error) {
	for _, at := range []struct {
		worker  *worker.Worker
		devices *[]device
	}{
		{podOf(from), &p.fromPod}, {from.Node, &p.fromNode}, {to.Node, &p.toNode}, {podOf(to), &p.toPod},
	} {
		if at.worker == nil {
			continue
		}
		call, err := at.worker.Start(ctx, "path/count", nil)
		if err == nil {
			err = call.Wait(ctx, at.devices)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// podOf returns the pod's worker, or nil if the same worker also stands for the node.
func podOf(e probes.End) *worker.Worker {
	if e.Worker == e.Node {
		return nil
	}
	return e.Worker
}

// wayOf returns the devices that carried the packets, in the order of the path.
// Towards the tunnel a node receives from the pod's device, then from the bridge
// of which it is a port, and then sends into the tunnel and out of the NIC. The
// other node does the same in reverse.
func wayOf(from, to string, before, after places, least uint64) []string {
	way := []string{}
	add := func(place string, was, is []device, carried func(device) uint64, rank func(device) int) {
		var on []device
		for _, d := range since(was, is) {
			if carried(d) >= least {
				on = append(on, d)
			}
		}
		slices.SortStableFunc(on, func(a, b device) int { return cmp.Compare(rank(a), rank(b)) })
		for _, d := range on {
			if name := place + "/" + d.Name; !slices.Contains(way, name) {
				way = append(way, name)
			}
		}
	}
	add(from+":pod", before.fromPod, after.fromPod, tx, unranked)
	add(from, before.fromNode, after.fromNode, rx, func(d device) int { return rankOf(d, "bridge") })
	add(from, before.fromNode, after.fromNode, tx, func(d device) int { return -rankOf(d, tunnels...) })
	add(to, before.toNode, after.toNode, rx, func(d device) int { return rankOf(d, tunnels...) })
	add(to, before.toNode, after.toNode, tx, func(d device) int { return -rankOf(d, "bridge") })
	add(to+":pod", before.toPod, after.toPod, rx, unranked)
	return way
}

// lastSeen returns the last device that the datagrams of reach passed, "" if they
// passed none. They are sent every trickle.Every for trickle.Patience, and half of
// them are far more than the traffic of agents in the meantime.
func lastSeen(ctx context.Context, from, to probes.End, before places) (string, error) {
	after, err := countDevices(ctx, from, to)
	if err != nil {
		return "", err
	}
	way := wayOf(from.NodeName, to.NodeName, before, after, uint64(trickle.Patience/trickle.Every/2))
	if len(way) == 0 {
		return "", nil
	}
	return way[len(way)-1], nil
}

// tunnels are the kinds of devices that encapsulate packets.
var tunnels = []string{"vxlan", "tuntap", "ipip", "geneve", "wireguard"}

func tx(d device) uint64  { return d.TX }
func rx(d device) uint64  { return d.RX }
func unranked(device) int { return 0 }

// rankOf returns 1 for devices of the given kinds and 0 for others.
func rankOf(d device, kinds ...string) int {
	if slices.Contains(kinds, d.Kind) {
		return 1
	}
	return 0
}

// since returns what the devices carried between two readings. A device that was
// recreated in between counts from 0, because its earlier packets are not known.
func since(was, is []device) []device {
	all := slices.Clone(is)
	for i := range all {
		for _, d := range was {
			if d.Name == all[i].Name && d.Index == all[i].Index && d.RX <= all[i].RX && d.TX <= all[i].TX {
				all[i].RX -= d.RX
				all[i].TX -= d.TX
			}
		}
	}
	return all
}

func pathTakes(s *probes.Site) time.Duration { return pathWithin(s) + pathRest(s) }

// pathWithin returns the time limit for sending the packets. pathRest returns how
// long the last packets may take to arrive.
func pathWithin(s *probes.Site) time.Duration {
	return s.Limit(pathLimit) + probes.ChainRoundTrips*s.RoundTrip()
}

func pathRest(s *probes.Site) time.Duration {
	return s.Limit(pathQuiet) + probes.ChainRoundTrips*s.RoundTrip()
}
