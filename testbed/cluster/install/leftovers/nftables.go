package leftovers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// kubePrefix begins the names of the chains and IP sets of the kubelet and of
	// kube-proxy, which are no plugin's (pkg/proxy/iptables and pkg/kubelet of v1.34).
	kubePrefix = "KUBE-"
	// proxyTable is kube-proxy's table in its nftables mode (pkg/proxy/nftables).
	proxyTable = "kube-proxy"
)

// tableFamilies names the families of tables as nft does (nft(8), address families).
var tableFamilies = map[byte]string{unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6", unix.NFPROTO_INET: "inet", unix.NFPROTO_ARP: "arp",
	unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_NETDEV: "netdev"}

// part is a table, chain or rule of nftables, as a message of the kernel has it.
type part struct {
	family        byte
	table, chain  string
	handle        uint64
	jump, comment string
}

func (p part) in() string {
	family := tableFamilies[p.family]
	if family == "" {
		family = fmt.Sprintf("family-%d", p.family)
	}
	return family + " " + p.table
}

// nftables lists the tables, chains and rules, except for those of the kubelet and
// of kube-proxy, and for the tables and chains that hold them. Those of iptables-nft
// are among them.
func nftables() ([]thing, error) {
	tables, err := parts(unix.NFT_MSG_GETTABLE, readTable)
	if err != nil {
		return nil, err
	}
	chains, err := parts(unix.NFT_MSG_GETCHAIN, readChain)
	if err != nil {
		return nil, err
	}
	rules, err := parts(unix.NFT_MSG_GETRULE, readRule)
	if err != nil {
		return nil, err
	}
	kube, used := map[Owner]bool{}, map[Owner]bool{}
	for _, p := range slices.Concat(chains, rules) {
		if strings.HasPrefix(p.chain, kubePrefix) || strings.HasPrefix(p.jump, kubePrefix) || p.table == proxyTable {
			kube[p.ofTable()], kube[p.ofChain()] = true, true
		}
	}
	for _, p := range rules {
		used[p.ofTable()], used[p.ofChain()] = true, true
	}
	var all []thing
	add := func(i Item) {
		if !kube[i.id()] {
			i.Empty = i.Kind != Rule && !used[i.id()]
			all = append(all, thing{Item: i})
		}
	}
	for _, p := range tables {
		if p.table != proxyTable {
			add(Item{Kind: Table, Name: p.in()})
		}
	}
	for _, p := range chains {
		add(Item{Kind: Chain, Name: p.ofChain().Name, In: p.ofTable()})
	}
	for _, p := range rules {
		if !strings.HasPrefix(p.chain, kubePrefix) && !strings.HasPrefix(p.jump, kubePrefix) && p.table != proxyTable {
			add(ruleItem(p))
		}
	}
	return all, nil
}

func (p part) ofTable() Owner { return Owner{Table, p.in()} }
func (p part) ofChain() Owner { return Owner{Chain, p.in() + " " + p.chain} }

// parts asks the kernel for all objects of a kind.
func parts(message int, read func([]byte) (part, error)) ([]part, error) {
	answers, err := dump(message)
	if err != nil {
		return nil, err
	}
	var all []part
	for _, answer := range answers {
		p, err := read(answer)
		if err != nil {
			return nil, fmt.Errorf("reading the kernel's answer: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}

func ruleItem(p part) Item {
	i := Item{Kind: Rule, Name: fmt.Sprintf("%s handle %d", p.ofChain().Name, p.handle), In: p.ofChain(), To: p.jump, Comment: p.comment}
	if p.jump != "" {
		i.Name += " to " + p.jump
	}
	if p.comment != "" {
		i.Name += " (" + p.comment + ")"
	}
	return i
}

// dump asks the kernel for all objects of a kind. A kernel without nftables has
// none.
func dump(message int) (answers [][]byte, err error) {
	for range 3 { // a change meanwhile interrupts a dump
		request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|message, unix.NLM_F_DUMP)
		request.AddData(&nl.Nfgenmsg{NfgenFamily: unix.NFPROTO_UNSPEC})
		answers, err = request.Execute(unix.NETLINK_NETFILTER, 0)
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT):
			return nil, nil
		case !errors.Is(err, nl.ErrDumpInterrupted):
			return answers, err
		}
	}
	return answers, err
}

// attributes calls read with each attribute of a message.
func attributes(b []byte, read func(kind uint16, value []byte) error) error {
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := read(a.Attr.Type&nl.NLA_TYPE_MASK, a.Value); err != nil {
			return err
		}
	}
	return nil
}

var errShort = errors.New("the message is too short")

// head reads the message's header (struct nfgenmsg) and its attributes.
func head(b []byte, read func(p *part, kind uint16, value []byte) error) (p part, err error) {
	if len(b) < nl.SizeofNfgenmsg {
		return p, errShort
	}
	p.family = b[0]
	return p, attributes(b[nl.SizeofNfgenmsg:], func(kind uint16, value []byte) error { return read(&p, kind, value) })
}

func readTable(b []byte) (part, error) {
	return head(b, func(p *part, kind uint16, value []byte) error {
		if kind == unix.NFTA_TABLE_NAME {
			p.table = name(value)
		}
		return nil
	})
}

func readChain(b []byte) (part, error) {
	return head(b, func(p *part, kind uint16, value []byte) error {
		switch kind {
		case unix.NFTA_CHAIN_TABLE:
			p.table = name(value)
		case unix.NFTA_CHAIN_NAME:
			p.chain = name(value)
		}
		return nil
	})
}

func readRule(b []byte) (part, error) {
	return head(b, func(p *part, kind uint16, value []byte) error {
		switch kind {
		case unix.NFTA_RULE_TABLE:
			p.table = name(value)
		case unix.NFTA_RULE_CHAIN:
			p.chain = name(value)
		case unix.NFTA_RULE_HANDLE:
			if len(value) != 8 {
				return errShort
			}
			p.handle = binary.BigEndian.Uint64(value)
		case unix.NFTA_RULE_EXPRESSIONS:
			return attributes(value, func(_ uint16, expression []byte) error { return readExpression(p, expression) })
		}
		return nil
	})
}

// readExpression looks in an expression of a rule for the chain that it jumps to,
// and for iptables' comment.
func readExpression(p *part, b []byte) error {
	var what string
	return attributes(b, func(kind uint16, value []byte) error {
		switch {
		case kind == unix.NFTA_EXPR_NAME:
			what = name(value)
		case kind == unix.NFTA_EXPR_DATA && what == "immediate":
			return attributes(value, func(kind uint16, data []byte) error {
				if kind != unix.NFTA_IMMEDIATE_DATA {
					return nil
				}
				return attributes(data, func(kind uint16, verdict []byte) error {
					if kind != unix.NFTA_DATA_VERDICT {
						return nil
					}
					return attributes(verdict, func(kind uint16, value []byte) error {
						if kind == unix.NFTA_VERDICT_CHAIN {
							p.jump = name(value)
						}
						return nil
					})
				})
			})
		case kind == unix.NFTA_EXPR_DATA && what == "match":
			return readMatch(p, value)
		}
		return nil
	})
}

// readMatch reads the comment of iptables-nft (struct xt_comment_info).
func readMatch(p *part, b []byte) error {
	var what string
	return attributes(b, func(kind uint16, value []byte) error {
		switch {
		case kind == unix.NFTA_MATCH_NAME:
			what = name(value)
		case kind == unix.NFTA_MATCH_INFO && what == "comment" && p.comment == "":
			p.comment = name(value)
		}
		return nil
	})
}

// name reads a string that a zero byte ends.
func name(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

// removeTables removes rules, chains and tables in one transaction: first the
// rules, then all rules of the chains, which may refer to each other, then the
// chains, then the tables.
func removeTables(all []thing) error {
	removed := func(o Owner) bool { return slices.ContainsFunc(all, func(t thing) bool { return t.id() == o }) }
	var rules, flushes, chains, tables []change
	for _, t := range all {
		if removed(t.In) {
			continue // goes with it
		}
		c, err := parseChange(t.Item)
		if err != nil {
			return err
		}
		switch t.Kind {
		case Rule:
			rules = append(rules, c)
		case Chain:
			flushes = append(flushes, change{unix.NFT_MSG_DELRULE, c.family, c.table, c.chain, 0})
			chains = append(chains, c)
		case Table:
			tables = append(tables, c)
		}
	}
	batch := slices.Concat(rules, flushes, chains, tables)
	if len(batch) == 0 {
		return nil
	}
	if err := commit(batch); err != nil {
		return fmt.Errorf("removing %d nftables rules, chains and tables: %w", len(batch), err)
	}
	return nil
}

// change deletes a rule, all rules of a chain (handle 0), a chain or a table.
type change struct {
	message      int
	family       byte
	table, chain string
	handle       uint64
}

// parseChange returns what deletes an item. Names of tables and chains contain no
// spaces (nft(8), identifiers).
func parseChange(i Item) (c change, err error) {
	fields := strings.Fields(i.Name)
	need := map[Kind]int{Table: 2, Chain: 3, Rule: 5}[i.Kind]
	if len(fields) < need {
		return c, fmt.Errorf("the name of the %s is not complete", i)
	}
	for family, name := range tableFamilies {
		if name == fields[0] {
			c.family = family
		}
	}
	c.table = fields[1]
	c.message = unix.NFT_MSG_DELTABLE
	if i.Kind != Table {
		c.message, c.chain = unix.NFT_MSG_DELCHAIN, fields[2]
	}
	if i.Kind == Rule {
		c.message = unix.NFT_MSG_DELRULE
		if _, err := fmt.Sscan(fields[4], &c.handle); err != nil {
			return c, fmt.Errorf("the handle of the %s: %w", i, err)
		}
	}
	return c, nil
}

func (c change) request() *nl.NetlinkRequest {
	r := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|c.message, unix.NLM_F_ACK)
	r.AddData(&nl.Nfgenmsg{NfgenFamily: c.family})
	switch c.message {
	case unix.NFT_MSG_DELTABLE:
		r.AddData(nl.NewRtAttr(unix.NFTA_TABLE_NAME, nl.ZeroTerminated(c.table)))
	case unix.NFT_MSG_DELCHAIN:
		r.AddData(nl.NewRtAttr(unix.NFTA_CHAIN_TABLE, nl.ZeroTerminated(c.table)))
		r.AddData(nl.NewRtAttr(unix.NFTA_CHAIN_NAME, nl.ZeroTerminated(c.chain)))
	case unix.NFT_MSG_DELRULE:
		r.AddData(nl.NewRtAttr(unix.NFTA_RULE_TABLE, nl.ZeroTerminated(c.table)))
		r.AddData(nl.NewRtAttr(unix.NFTA_RULE_CHAIN, nl.ZeroTerminated(c.chain)))
		if c.handle != 0 {
			r.AddData(nl.NewRtAttr(unix.NFTA_RULE_HANDLE, nl.BEUint64Attr(c.handle)))
		}
	}
	return r
}

// commit sends the changes between the two messages that make them one transaction
// (Documentation of nfnetlink: NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END), and
// returns the first error that the kernel answers with.
func commit(changes []change) error {
	s, err := nl.Subscribe(unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: 10}); err != nil {
		return err
	}
	var batch []byte
	bound := func(message int) {
		r := nl.NewNetlinkRequest(message, 0)
		r.AddData(&nl.Nfgenmsg{ResId: nl.Swap16(unix.NFNL_SUBSYS_NFTABLES)})
		batch = append(batch, r.Serialize()...)
	}
	waiting := map[uint32]change{}
	bound(unix.NFNL_MSG_BATCH_BEGIN)
	for _, c := range changes {
		r := c.request()
		waiting[r.Seq] = c
		batch = append(batch, r.Serialize()...)
	}
	bound(unix.NFNL_MSG_BATCH_END)
	if err := unix.Sendto(s.GetFd(), batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for len(waiting) > 0 {
		answers, _, err := s.Receive()
		if err != nil {
			return err
		}
		for _, a := range answers {
			if a.Header.Type != unix.NLMSG_ERROR || len(a.Data) < 4 {
				continue
			}
			if code := int32(nl.NativeEndian().Uint32(a.Data)); code != 0 {
				c := waiting[a.Header.Seq]
				return fmt.Errorf("%s %s %s: %w", tableFamilies[c.family], c.table, c.chain, unix.Errno(-code))
			}
			delete(waiting, a.Header.Seq)
		}
	}
	return nil
}
