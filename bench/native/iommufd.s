# SPDX-License-Identifier: GPL-2.0-only
#
# What the compiler made of iommufd.c; written by `npm run bench:native`.
# cc -O2 -std=c11 -fno-builtin-malloc -Wall -Wextra -Werror -pthread, cc (Debian 12.2.0-14+deb12u1) 12.2.0, x64

<object_alloc>:
	push   %r15
	push   %r14
	push   %r13
	mov    %edx,%r13d
	push   %r12
	mov    %rsi,%r12
	push   %rbp
	push   %rbx
	mov    %rdi,%rbx
	mov    %rsi,%rdi
	sub    $0x18,%rsp
	call   <malloc@plt>
	test   %rax,%rax
	je     <object_alloc+0x1b6>
	mov    %rax,%rbp
	mov    %r12,%rdx
	xor    %esi,%esi
	mov    %rax,%rdi
	call   <memset@plt>
	mov    %r13d,0xc(%rbp)
	mov    $0x1,%eax
	movl   $0x1,0x8(%rbp)
	mov    %eax,%r12d
	xchg   %r12d,(%rbx)
	test   %r12d,%r12d
	jne    <object_alloc+0x19a>
	mov    0x4(%rbx),%r14d
	mov    %r14d,%ecx
	shr    $0xa,%ecx
	cmp    $0x3fffff,%r14d
	ja     <object_alloc+0x1a8>
	mov    %r14d,%edi
	lea    0x8008(%rbx),%rsi
	mov    $0xffffffffffffffff,%rdx
	shr    $0x10,%edi
	shl    %cl,%rdx
	mov    %edi,%eax
	mov    (%rsi,%rax,8),%rax
	not    %rax
	and    %rdx,%rax
	jne    <object_alloc+0x2ad>
	lea    0x1(%rdi),%edx
	cmp    $0x3f,%edi
	jne    <object_alloc+0xb4>
	jmp    <object_alloc+0x1a8>
	nopl   0x0(%rax)
	add    $0x1,%edx
	cmp    $0x40,%edx
	je     <object_alloc+0x1a8>
	mov    %edx,%eax
	mov    (%rsi,%rax,8),%rax
	xor    $0xffffffffffffffff,%rax
	je     <object_alloc+0xa8>
	tzcnt  %rax,%rax
	shl    $0x6,%edx
	lea    (%rdx,%rax,1),%r13d
	cmp    $0x1000,%r13d
	je     <object_alloc+0x1a8>
	mov    %r13d,%r15d
	mov    0x8(%rbx,%r15,8),%rsi
	test   %rsi,%rsi
	je     <object_alloc+0x270>
	cmp    %r13d,%ecx
	je     <object_alloc+0x1c0>
	mov    0x2000(%rsi),%rax
	xor    $0xffffffffffffffff,%rax
	jne    <object_alloc+0x133>
	mov    $0x1,%r12d
	lea    0x400(%r12),%eax
	lea    (%rsi,%rax,8),%rdx
	jmp    <object_alloc+0x12a>
	nopl   0x0(%rax)
	add    $0x1,%r12d
	add    $0x8,%rdx
	cmp    $0x10,%r12d
	je     <object_alloc+0x200>
	mov    (%rdx),%rax
	xor    $0xffffffffffffffff,%rax
	je     <object_alloc+0x118>
	mov    %r12d,%edx
	tzcnt  %rax,%rax
	shl    $0x6,%edx
	add    %eax,%edx
	mov    $0x1,%eax
	mov    %edx,%r12d
	mov    %edx,%ecx
	shr    $0x6,%r12d
	shl    %cl,%rax
	mov    %r13d,%ecx
	or     0x2000(%rsi,%r12,8),%rax
	shl    $0xa,%ecx
	mov    %rax,0x2000(%rsi,%r12,8)
	or     %edx,%ecx
	mov    %ecx,0x10(%rbp)
	add    $0x1,%ecx
	mov    %ecx,0x4(%rbx)
	cmp    $0xffffffffffffffff,%rax
	je     <object_alloc+0x210>
	movl   $0x0,(%rbx)
	add    $0x18,%rsp
	mov    %rbp,%rax
	pop    %rbx
	pop    %rbp
	pop    %r12
	pop    %r13
	pop    %r14
	pop    %r15
	ret
	nopl   0x0(%rax)
	pause
	mov    (%rbx),%edx
	test   %edx,%edx
	jne    <object_alloc+0x198>
	jmp    <object_alloc+0x48>
	nopl   (%rax)
	mov    %rbp,%rdi
	movl   $0x0,(%rbx)
	call   <free@plt>
	xor    %ebp,%ebp
	jmp    <object_alloc+0x182>
	nopw   0x0(%rax,%rax,1)
	mov    %r14d,%r12d
	mov    $0xffffffffffffffff,%rdx
	mov    %r14d,%ecx
	and    $0x3ff,%r12d
	shl    %cl,%rdx
	shr    $0x6,%r12d
	mov    %r12d,%eax
	mov    0x2000(%rsi,%rax,8),%rax
	not    %rax
	and    %rdx,%rax
	jne    <object_alloc+0x133>
	add    $0x1,%r12d
	cmp    $0x10,%r12d
	jne    <object_alloc+0x106>
	mov    $0x1,%eax
	mov    $0x400,%edx
	jmp    <object_alloc+0x151>
	nop
	cmpq   $0xffffffffffffffff,0x2000(%rsi)
	jne    <object_alloc+0x17c>
	lea    0x2008(%rsi),%rax
	add    $0x2080,%rsi
	nopl   0x0(%rax)
	cmpq   $0xffffffffffffffff,(%rax)
	jne    <object_alloc+0x17c>
	add    $0x8,%rax
	cmp    %rsi,%rax
	jne    <object_alloc+0x230>
	mov    %r13d,%eax
	mov    $0x1,%edx
	mov    %r13d,%ecx
	shr    $0x6,%eax
	shl    %cl,%rdx
	or     %rdx,0x8008(%rbx,%rax,8)
	movl   $0x0,(%rbx)
	jmp    <object_alloc+0x182>
	nopw   0x0(%rax,%rax,1)
	mov    $0x2080,%esi
	mov    $0x1,%edi
	mov    %ecx,0xc(%rsp)
	call   <calloc@plt>
	mov    %rax,%rsi
	test   %rax,%rax
	je     <object_alloc+0x1a8>
	test   %r13d,%r13d
	mov    0xc(%rsp),%ecx
	jne    <object_alloc+0x2a3>
	movq   $0x1,0x2000(%rax)
	mov    %rsi,0x8(%rbx,%r15,8)
	jmp    <object_alloc+0xea>
	tzcnt  %rax,%rax
	shl    $0x6,%edi
	lea    (%rdi,%rax,1),%r13d
	jmp    <object_alloc+0xd9>

<object_finalize>:
	mov    $0x1,%edx
	mov    %edx,%eax
	xchg   %eax,(%rdi)
	test   %eax,%eax
	jne    <object_finalize+0x3a>
	mov    0x10(%rsi),%eax
	mov    %eax,%edx
	and    $0x3ff,%eax
	shr    $0xa,%edx
	mov    0x8(%rdi,%rdx,8),%rdx
	mov    (%rdx,%rax,8),%rcx
	mov    %rsi,(%rdx,%rax,8)
	movl   $0x0,(%rdi)
	test   %rcx,%rcx
	jne    <object_finalize+0x48>
	ret
	nopl   0x0(%rax,%rax,1)
	pause
	mov    (%rdi),%eax
	test   %eax,%eax
	jne    <object_finalize+0x38>
	jmp    <object_finalize+0x5>
	nopw   0x0(%rax,%rax,1)
	lock addl $0x1,0x368c(%rip)        # <warnings>
	ret

<object_abort>:
	push   %rbx
	mov    $0x1,%edx
	mov    %rsi,%rbx
	mov    %edx,%eax
	xchg   %eax,(%rdi)
	test   %eax,%eax
	jne    <object_abort+0x32>
	mov    0x10(%rbx),%esi
	call   <table_erase>
	movl   $0x0,(%rdi)
	test   %rax,%rax
	jne    <object_abort+0x40>
	mov    %rbx,%rdi
	pop    %rbx
	jmp    <free@plt>
	nopl   (%rax)
	pause
	mov    (%rdi),%eax
	test   %eax,%eax
	jne    <object_abort+0x30>
	jmp    <object_abort+0x9>
	nopw   0x0(%rax,%rax,1)
	lock addl $0x1,0x3634(%rip)        # <warnings>
	mov    %rbx,%rdi
	pop    %rbx
	jmp    <free@plt>

<get_object>:
	mov    %rdi,%rcx
	mov    $0x1,%edi
	mov    %edi,%eax
	xchg   %eax,(%rcx)
	test   %eax,%eax
	jne    <get_object+0x7a>
	cmp    $0x3fffff,%esi
	ja     <get_object+0x90>
	mov    %esi,%eax
	shr    $0xa,%eax
	mov    0x8(%rcx,%rax,8),%rax
	test   %rax,%rax
	je     <get_object+0x90>
	and    $0x3ff,%esi
	mov    (%rax,%rsi,8),%rsi
	test   %rsi,%rsi
	je     <get_object+0x90>
	test   %edx,%edx
	je     <get_object+0x3f>
	cmp    %edx,0xc(%rsi)
	jne    <get_object+0x90>
	xor    %eax,%eax
	lea    0x100(%rax),%rdx
	lock cmpxchg %rdx,(%rsi)
	jne    <get_object+0xa2>
	mov    0x8(%rsi),%eax
	lea    0x8(%rsi),%rdx
	test   %eax,%eax
	je     <get_object+0x88>
	lea    0x1(%rax),%edi
	lock cmpxchg %edi,(%rdx)
	jne    <get_object+0x56>
	test   %eax,%eax
	js     <get_object+0x98>
	mov    %rsi,%rax
	movl   $0x0,(%rcx)
	ret
	nopl   0x0(%rax)
	pause
	mov    (%rcx),%eax
	test   %eax,%eax
	jne    <get_object+0x78>
	jmp    <get_object+0x8>
	nopw   0x0(%rax,%rax,1)
	lock subq $0x100,(%rsi)
	xor    %esi,%esi
	jmp    <get_object+0x67>
	nopl   0x0(%rax)
	lock addl $0x1,0x357c(%rip)        # <warnings>
	jmp    <get_object+0x67>
	test   $0x1,%al
	je     <get_object+0x41>
	xor    %esi,%esi
	jmp    <get_object+0x67>

<object_destroy_user>:
	push   %r12
	mov    $0x1,%edx
	xor    %eax,%eax
	push   %rbp
	mov    %rdi,%rbp
	push   %rbx
	mov    %rsi,%rbx
	lock cmpxchg %rdx,(%rsi)
	jne    <object_destroy_user+0xa0>
	mov    $0x1,%edx
	mov    %edx,%eax
	xchg   %eax,0x0(%rbp)
	test   %eax,%eax
	jne    <object_destroy_user+0x92>
	lea    0x8(%rbx),%rdx
	mov    $0xffffffff,%eax
	lock xadd %eax,(%rdx)
	cmp    $0x1,%eax
	jle    <object_destroy_user+0xd0>
	mov    $0x1,%eax
	xor    %ecx,%ecx
	lock cmpxchg %ecx,(%rdx)
	jne    <object_destroy_user+0xdd>
	mov    0x10(%rbx),%esi
	mov    %rbp,%rdi
	call   <table_erase>
	lea    0x311d(%rip),%rax        # <destroy_ops>
	mov    %rbx,%rdi
	movl   $0x0,0x0(%rbp)
	mov    0xc(%rbx),%edx
	call   *(%rax,%rdx,8)
	lock subq $0x1,(%rbx)
	mov    %rbx,%rdi
	call   <free@plt>
	mov    $0x1,%eax
	pop    %rbx
	pop    %rbp
	pop    %r12
	ret
	nopw   0x0(%rax,%rax,1)
	pause
	mov    0x0(%rbp),%eax
	test   %eax,%eax
	jne    <object_destroy_user+0x90>
	jmp    <object_destroy_user+0x21>
	nopl   0x0(%rax,%rax,1)
	sete   %al
	movzbl %al,%eax
	lock cmpxchg %rdx,(%rsi)
	je     <object_destroy_user+0x1c>
	xor    %r12d,%r12d
	call   <sched_yield@plt>
	mov    $0x1,%edx
	mov    %r12,%rax
	lock cmpxchg %rdx,(%rbx)
	je     <object_destroy_user+0x1c>
	jmp    <object_destroy_user+0xb4>
	xchg   %ax,%ax
	lock addl $0x1,0x3494(%rip)        # <warnings>
	jmp    <object_destroy_user+0x40>
	movl   $0x0,0x0(%rbp)
	lock subq $0x1,(%rbx)
	xor    %eax,%eax
	jmp    <object_destroy_user+0x85>

<destroy>:
	sub    $0x8,%rsp
	mov    0x18(%rdi),%rax
	mov    %rdi,%r8
	mov    (%rdi),%rdi
	xor    %edx,%edx
	mov    0x4(%rax),%esi
	call   <get_object>
	test   %rax,%rax
	je     <destroy+0x3c>
	mov    %rax,%rsi
	lock subq $0x100,(%rax)
	mov    (%r8),%rdi
	call   <object_destroy_user>
	cmp    $0x1,%al
	sbb    %eax,%eax
	and    $0xfffffff0,%eax
	add    $0x8,%rsp
	ret
	mov    $0xfffffffe,%eax
	jmp    <destroy+0x37>

<context_ioctl>:
	sub    $0x38,%rsp
	lea    0x8(%rsp),%rax
	movl   $0x0,0x24(%rsp)
	mov    %rax,0x28(%rsp)
	mov    (%rdx),%eax
	mov    %rdi,0x10(%rsp)
	mov    %rdx,0x18(%rsp)
	mov    %eax,0x20(%rsp)
	cmp    $0x80,%sil
	jne    <context_ioctl+0x87>
	cmp    $0x3b80,%esi
	jne    <context_ioctl+0x87>
	cmp    $0x7,%eax
	jbe    <context_ioctl+0x8e>
	mov    %eax,%ecx
	cmp    $0x8,%eax
	je     <context_ioctl+0x70>
	lea    0x8(%rdx),%rax
	add    %rdx,%rcx
	jmp    <context_ioctl+0x59>
	nopl   0x0(%rax)
	add    $0x1,%rax
	cmp    %rcx,%rax
	je     <context_ioctl+0x70>
	cmpb   $0x0,(%rax)
	je     <context_ioctl+0x50>
	mov    $0xfffffff9,%eax
	add    $0x38,%rsp
	ret
	nopl   0x0(%rax,%rax,1)
	mov    (%rdx),%rax
	lea    0x10(%rsp),%rdi
	mov    %rax,0x8(%rsp)
	call   <destroy>
	add    $0x38,%rsp
	ret
	mov    $0xffffffe7,%eax
	jmp    <context_ioctl+0x63>
	mov    $0xffffffa1,%eax
	jmp    <context_ioctl+0x63>
