package words

// Findings of the probe mtu and of those that go with it.
var (
	UnderlayMTUDiffers   = message("mtu.underlay-mtu-differs", "the NIC of %s has an MTU of %d bytes, that of %s %d: raise the smaller one, or lower the other and the plugin's MTU with it")
	PodMTUDiffers        = message("mtu.pod-mtu-differs", "the pod on %s has an MTU of %d bytes, that on %s %d: give the plugin the same MTU on all nodes")
	UnderlayMTUTooLarge  = message("mtu.underlay-mtu-too-large", "the NIC of %s may send %d bytes, but only %d pass to %s: lower the NIC's MTU to that, or have the network carry more")
	PodMTUTooLarge       = message("mtu.pod-mtu-too-large", "the pod on %s may send %d bytes, but only %d pass to the one on %s: lower the plugin's MTU to that")
	PMTUBlackHole        = message("mtu.pmtu-black-hole", "larger packets from %s to %s vanish and no too-big message (ICMP type 3 code 4) comes back: connections hang on them")
	PMTUWrong            = message("mtu.pmtu-wrong", "a too-big message reports %d bytes on the path from %s to %s, but %d pass")
	MTUAsymmetric        = message("mtu.mtu-asymmetric", "%d bytes pass from %s to %s, %d in the other direction")
	NodeSourceTranslated = message("mtu.node-source-translated", "what %s sends to %s arrives with the source address %s instead of %s: something in the nodes' own network translates it")
	PodSourceTranslated  = message("mtu.pod-source-translated", "what the pod on %s sends to the pod on %s arrives with the source address %s instead of the pod's %s: NetworkPolicy and audit logs see that address and cannot tell pods apart (iptables -t nat -S on %s lists what may translate it)")
	TCPDoesNotPass       = message("mtu.tcp-does-not-pass", "datagrams pass both ways between %s and %s, but a TCP stream from %s to %s does not: %v")
	DirectionSlow        = message("mtu.direction-slow", "from %s to %s a TCP stream carries a %.2g part of what passes from %s to %s: measure both ways (tcp-stream and tcp-stream:reverse) and look at the first direction's drops, rate limits and MTU")
	UnderlayFragments    = message("mtu.underlay-fragments", "packets of %d bytes pass although %d is all that fits beside %d bytes of headers in the underlay's %d: they are fragmented on the path")
	MTUChanged           = message("mtu.mtu-changed", "packets of %d bytes passed both ways at the start of the run and of %d at its end: something changed the path meanwhile, and the figures are from before and after")
	MSSChanged           = message("mtu.mss-changed", "full TCP segments held %d bytes at the start of the run and %d at its end: something changed the path meanwhile, and the figures are from before and after")
	PodMTUTooSmall       = message("mtu.pod-mtu-too-small", "packets may have %d bytes where %d would fit beside %d bytes of headers in the underlay's %d: that gives away goodput")
)
