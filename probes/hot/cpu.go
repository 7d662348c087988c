package hot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// userHZ is the number of /proc/stat ticks per second. It is 100 on every
// architecture that Go runs on (sysconf(_SC_CLK_TCK), time(7)).
const userHZ = 100

// MachineTime is the processor time that a machine has spent since boot, from
// /proc/stat (proc_stat(5)), with an identifier of the machine.
type MachineTime struct {
	Boot string      `json:"boot"` // boot ID, new for each boot
	CPU  results.CPU `json:"cpu"`
}

// ReadMachineTime reads the processor time of this machine.
func ReadMachineTime() (MachineTime, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return MachineTime{}, fmt.Errorf("reading the machine's boot ID: %w", err)
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return MachineTime{}, fmt.Errorf("reading the machine's processor time: %w", err)
	}
	cpu, err := parseStat(text)
	if err != nil {
		return MachineTime{}, err
	}
	return MachineTime{Boot: strings.TrimSpace(string(boot)), CPU: cpu}, nil
}

// parseStat reads the lines "cpu" and "ctxt" of /proc/stat.
func parseStat(text []byte) (results.CPU, error) {
	var cpu results.CPU
	var haveCPU, haveSwitches bool
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		switch {
		case len(fields) == 0:
		case fields[0] == "cpu" && !haveCPU:
			if len(fields) < 9 {
				return results.CPU{}, fmt.Errorf("reading /proc/stat: line %q has fewer than 8 figures", line)
			}
			var seconds [8]float64 // user nice system idle iowait irq softirq steal; guest is part of user
			for i := range seconds {
				ticks, err := strconv.ParseUint(fields[i+1], 10, 64)
				if err != nil {
					return results.CPU{}, fmt.Errorf("reading /proc/stat: %w", err)
				}
				seconds[i] = float64(ticks) / userHZ
			}
			cpu.User, cpu.System, cpu.Idle = seconds[0]+seconds[1], seconds[2], seconds[3]+seconds[4]
			cpu.SoftIRQ, cpu.Steal = seconds[5]+seconds[6], seconds[7]
			haveCPU = true
		case fields[0] == "ctxt" && len(fields) == 2 && !haveSwitches:
			n, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				return results.CPU{}, fmt.Errorf("reading /proc/stat: %w", err)
			}
			cpu.ContextSwitches = n
			haveSwitches = true
		}
	}
	if !haveCPU || !haveSwitches {
		return results.CPU{}, errors.New("reading /proc/stat: the cpu or the ctxt line is missing")
	}
	return cpu, nil
}

// Since returns the time spent since an earlier reading on the same machine. A
// counter that went backwards (idle and iowait may, proc_stat(5)) counts as 0.
func (t MachineTime) Since(earlier MachineTime) MachineTime {
	a, b := t.CPU, earlier.CPU
	t.CPU = results.CPU{User: max(a.User-b.User, 0), System: max(a.System-b.System, 0), SoftIRQ: max(a.SoftIRQ-b.SoftIRQ, 0),
		Steal: max(a.Steal-b.Steal, 0), Idle: max(a.Idle-b.Idle, 0)}
	if a.ContextSwitches > b.ContextSwitches {
		t.CPU.ContextSwitches = a.ContextSwitches - b.ContextSwitches
	}
	return t
}

// Together returns the time spent by all machines of a sample, counting each
// machine once.
func Together(times ...MachineTime) *results.CPU {
	var sum results.CPU
	seen := map[string]bool{}
	for _, t := range times {
		if seen[t.Boot] {
			continue
		}
		seen[t.Boot] = true
		sum.User += t.CPU.User
		sum.System += t.CPU.System
		sum.SoftIRQ += t.CPU.SoftIRQ
		sum.Steal += t.CPU.Steal
		sum.Idle += t.CPU.Idle
		sum.ContextSwitches += t.CPU.ContextSwitches
	}
	return &sum
}

// Busy returns the seconds that the machines worked in a sample. If the clock did not
// tick, they worked for less than a tick: half a tick stands for it, as for any value
// below the limit of what an instrument detects, and the sample carries a warning. It
// stays comparable with others by a ratio, which zero is not, and the statistics of
// ratios use ranks, to which it is the smallest either way.
func Busy(c *results.CPU) (float64, []words.Text) {
	if busy := c.Busy(); busy > 0 {
		return busy, nil
	}
	return 0.5 / userHZ, []words.Text{words.CPUWithoutTick.With(1000 / userHZ)}
}

// Stolen returns a warning if the hypervisor took more than stealWarning of the
// machine's time.
func Stolen(c *results.CPU) []words.Text {
	all := c.Busy() + c.Steal + c.Idle
	if all <= 0 || c.Steal/all <= stealWarning {
		return nil
	}
	return []words.Text{words.CPUStolen.With(100 * c.Steal / all)}
}

// stealWarning is the share of the machine's time taken by the hypervisor
// above which a sample carries a warning: at 1 % the loss is as large as the
// differences that runs are meant to detect.
const stealWarning = 0.01
