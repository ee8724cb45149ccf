/** Codes that administrators hand out: recharge codes, worth money, and invite codes. */

import { texts } from '../../lib/language.ts'
import { href, route } from '../../lib/router.ts'
import { PageHead, TabLinks } from '../../ui/parts.tsx'
import { InviteCodes } from './invite-codes.tsx'
import { RechargeCodes } from './recharge-codes.tsx'

const t = texts({
  en: { title: 'Codes', recharge: 'Recharge codes', invite: 'Invite codes' },
  zh: { title: '兑换码', recharge: '充值码', invite: '邀请码' },
})

export default function Codes() {
  const tab = route.value.query.get('tab') ?? 'recharge'
  return (
    <>
      <PageHead title={t.title} />
      <TabLinks
        label={t.title}
        current={tab}
        tabs={[
          ['recharge', t.recharge, href('/admin/codes')],
          ['invite', t.invite, href('/admin/codes', { tab: 'invite' })],
        ]}
      />
      {tab === 'invite' ? <InviteCodes /> : <RechargeCodes />}
    </>
  )
}
