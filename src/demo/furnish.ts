import { furnishChat } from './chat.ts'
import { furnishMoney } from './money.ts'
import type { Accounts } from './people.ts'
import { furnishPhotos } from './photos.ts'
import type { Receiver } from './receiver.ts'
import { furnishSchedule } from './schedule.ts'
import type { State } from './state.ts'
import { furnishStudy } from './study.ts'
import { furnishTasks } from './tasks.ts'
import { furnishWebhook } from './webhook.ts'

export interface Demo extends Accounts {
  state: State
  receiver: Receiver
}

/** Makes everything that there is to see, unless an earlier start has made it. What moves comes first. */
export async function furnish(demo: Demo): Promise<void> {
  await furnishMoney(demo)
  await furnishTasks(demo)
  await furnishWebhook(demo)
  await furnishSchedule(demo)
  await furnishChat(demo)
  await Promise.all([furnishStudy(demo), furnishPhotos(demo)])
}
